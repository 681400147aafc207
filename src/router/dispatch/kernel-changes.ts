/** Which instances a change of the kernel concerns: links, addresses, forwarding. */
import type { Log } from '../../base/log.ts'
import { linkNews } from '../../kernel/link-news.ts'
import type { Kernel, KernelChange } from '../../kernel/mirror.ts'
import type { Roster } from './roster.ts'

type Concerned = {
  readonly roster: Roster
  readonly kernel: Pick<Kernel, 'linkByIndex' | 'hasAgain'>
  readonly log: Log
}

/** All changes of one batch, after the mirror has taken them in. */
export function routeKernelChanges(changes: readonly KernelChange[], to: Concerned): void {
  const { roster, kernel, log } = to
  for (const { name, text } of linkNews(changes)) {
    if (roster.isTracked(name)) log.info(text)
    else log.debug(text)
    roster.linkChanged(name)
  }
  for (const change of changes) {
    if (change.kind === 'address') onAddress(change, to)
    if (change.kind === 'forwarding') {
      const link = kernel.linkByIndex(change.ifindex)
      if (link !== null) roster.linkChanged(link.name)
    }
  }
  if (changes.some(({ kind }) => kind === 'address')) roster.addressesChanged()
}

function onAddress(
  { held, present, foreign }: KernelChange & { kind: 'address' },
  { roster, kernel }: Concerned,
): void {
  if (!roster.isVirtual(held.address)) {
    const link = kernel.linkByIndex(held.ifindex)
    if (link !== null) roster.sourceChanged(link.name, held.address)
    return
  }
  if (foreign) return roster.foreignChanged(held.address)
  if (held.duplicate) {
    for (const instance of roster.instances) instance.addressDuplicate(held)
    return
  }
  if (present || kernel.hasAgain(held)) return
  for (const instance of roster.instances) instance.addressVanished(held)
}
