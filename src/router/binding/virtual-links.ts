/** Whether the links of its own that an instance needs are there. */
import type { Instance } from '../../config/types.ts'
import type { Fault } from '../../election/types.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import type { LinkState } from '../../kernel/virtual-links.ts'

export type LinkStates = (name: string) => LinkState

/**
 * `wait`: one of them is being made, perhaps again; an instance that takes part stands as before until it is there. A link
 * whose interface is absent waits for that, which is another fault.
 */
export function virtualLinks(
  { virtualLinks: links }: Instance,
  stateOf: LinkStates,
  kernel: KernelView,
): 'ready' | 'wait' | Fault {
  const lacking = links.filter(
    ({ name, base }) => kernel.linkByName(base) !== null && stateOf(name) !== 'ready',
  )
  const refused = lacking.find(({ name }) => stateOf(name) === 'refused')
  if (refused !== undefined) return missing(refused.name)
  return lacking.length > 0 ? 'wait' : 'ready'
}

export const missing = (name: string): Fault => ({ kind: 'link', interface: name, why: 'missing' })
