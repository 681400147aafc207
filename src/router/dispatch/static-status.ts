/** How each static entry stands: read back from the mirror where that has it, else as the kernel answered. */
import type { Statics } from '../../config/statics.ts'
import type { KernelView } from '../../kernel/mirror.ts'
import type { StatusStatic } from '../../report/status.ts'
import { interfacesOf } from '../binding/entry-facts.ts'
import type { StaticFact } from '../binding/static-facts.ts'
import type { Refusals } from './refusals.ts'

type Standing = Pick<StatusStatic, 'state' | 'why'>

const set: Standing = { state: 'set', why: null }

export function describeStatics(
  { addresses, routes, rules }: Statics,
  facts: readonly StaticFact[],
  refusals: Refusals,
  kernel: KernelView,
): readonly StatusStatic[] {
  const known = new Map(facts.map((it) => [`${it.kind} ${it.text}`, it]))
  const standing = (kind: StatusStatic['kind'], text: string, over: readonly string[]) => {
    const [absent] = over.filter((name) => kernel.linkByName(name) === null)
    if (absent !== undefined)
      return { state: 'waiting', why: `it waits for interface ${absent}` } as const
    const fact = known.get(`${kind} ${text}`)
    const refused = fact === undefined ? null : refusals.whyOf(fact.key)
    if (refused !== null)
      return { state: 'refused', why: `the kernel refuses it: ${refused}` } as const
    return fact?.address == null ? set : addressStanding(fact.address, kernel)
  }
  return [
    ...addresses.map(({ text, interface: name, ...it }): StatusStatic => {
      const link = kernel.linkByName(name)
      const foreign = link !== null && kernel.isForeign(link.ifindex, it)
      return {
        kind: 'address',
        text,
        ...(foreign ? foreignStanding : standing('address', text, [name])),
      }
    }),
    ...routes.map((it): StatusStatic => {
      const { text } = it
      return { kind: 'route', text, ...standing('route', text, interfacesOf(it)) }
    }),
    ...rules.map(
      ({ text }): StatusStatic => ({ kind: 'rule', text, ...standing('rule', text, []) }),
    ),
  ]
}

const foreignStanding: Standing = {
  state: 'foreign',
  why: 'another program has set it: vipd neither sets nor removes it',
}

function addressStanding(address: NonNullable<StaticFact['address']>, kernel: KernelView) {
  if (kernel.find(address.ifindex, address) !== null) return set
  return { state: 'absent', why: 'the kernel does not hold it' } as const
}
