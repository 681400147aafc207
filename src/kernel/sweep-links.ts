/**
 * The links that a dead vipd made: those of the record of the run directory, and those that carry vipd's mark. They are
 * deleted, or switched off alone where the next daemon may want them: a link that is down serves nothing, passes nothing on
 * and needs not be made again.
 */
import { OpError } from '../base/errors.ts'
import { macText } from '../base/mac.ts'
import { decodeMessages } from '../wire/rtnetlink.ts'
import { encodeLinkDump, type Link } from '../wire/rtnetlink-link.ts'
import { encodeLinkDelete, encodeLinkSwitch } from '../wire/rtnetlink-virtual-link.ts'
import { linkMark, type OwnedLink } from './marks.ts'
import type { Judge } from './ours.ts'
import type { Keeps, Request } from './sweep-types.ts'
import type { InheritedLink } from './virtual-links.ts'

export type FoundLink = { readonly owned: OwnedLink }

export type SweptLinks = {
  readonly removed: readonly FoundLink[]
  /** Down, and still there. */
  readonly kept: readonly InheritedLink[]
  readonly left: readonly (FoundLink & { readonly why: string })[]
  readonly failed: readonly (FoundLink & { readonly why: string })[]
}

/** Throws OpError when the kernel's cannot be read. */
export function sweepLinks(judge: Judge, request: Request, keeps: Pick<Keeps, 'link'>): SweptLinks {
  const removed: FoundLink[] = []
  const kept: InheritedLink[] = []
  const left: SweptLinks['left'][number][] = []
  const failed: SweptLinks['failed'][number][] = []
  for (const { owned, link } of virtualLinks(request)) {
    const verdict = judge.link(owned, link.alias === linkMark)
    if (verdict.kind === 'foreign') continue
    if (verdict.kind === 'left') {
      left.push({ owned, why: verdict.why })
      continue
    }
    const { ifindex } = link
    const keep = keeps.link(link.name)
    const why = carryOut(
      keep ? encodeLinkSwitch(ifindex, false) : encodeLinkDelete(ifindex),
      request,
    )
    if (why === null && keep) kept.push({ owned, ifindex })
    else if (why === null) removed.push({ owned })
    else if (why !== 'gone') failed.push({ owned, why })
  }
  return { removed, kept, left, failed }
}

function virtualLinks(request: Request): readonly { owned: OwnedLink; link: Link }[] {
  const links = decodeMessages(request(encodeLinkDump())).flatMap((m) =>
    m.kind === 'newlink' ? [m.link] : [],
  )
  const names = new Map(links.map(({ ifindex, name }) => [ifindex, name]))
  return links.flatMap((link): readonly { owned: OwnedLink; link: Link }[] => {
    const { name, mac, parent, linkKind } = link
    const base = parent === null ? '' : (names.get(parent) ?? '')
    const found = { kind: 'link', name, base } as const
    if (linkKind === 'ipvlan') return [{ link, owned: { ...found, linkKind, mac: null } }]
    if (linkKind !== 'macvlan' || mac === null) return []
    return [{ link, owned: { ...found, linkKind, mac: macText(mac) } }]
  })
}

/** null: done; else why not. */
function carryOut(bytes: Uint8Array, request: Request): string | null {
  try {
    request(bytes)
    return null
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    return error.code === 'ENODEV' ? 'gone' : error.message
  }
}
