/**
 * Removes what a dead vipd left: its rules and routes (sweep-entries.ts), then every address that is ours to remove, whichever configuration brought
 * it there. One that is gone already is no error; one that cannot be removed does not keep the others. The host's own
 * addresses that the kernel takes along with a primary (see taken-along.ts) are set again at once.
 */
import { release } from 'node:os'
import { OpError } from '../base/errors.ts'
import { networkOfHeld } from '../wire/address-identity.ts'
import { decodeMessages } from '../wire/rtnetlink.ts'
import {
  encodeAddressAgain,
  encodeAddressDelete,
  encodeAddressDump,
  keepalivedProtocol,
  type LinkAddress,
} from '../wire/rtnetlink-address.ts'
import { encodeLinkDump } from '../wire/rtnetlink-link.ts'
import { Judge, kernelMarks, objectsOf, type Verdict } from './ours.ts'
import type { Survey } from './survey.ts'
import { type FoundEntry, type SweptEntries, sweepEntries } from './sweep-entries.ts'
import { type FoundLink, type SweptLinks, sweepLinks } from './sweep-links.ts'
import { type SweptSettings, sweepSettings } from './sweep-settings.ts'
import type { Keeps, Request } from './sweep-types.ts'

type Found = { readonly address: LinkAddress; readonly interface: string }
/** `again`: the request that sets the address again where it is missing. */
type Listed = Found & { readonly again: Uint8Array }

export type Swept = {
  readonly removed: readonly Found[]
  /** Marked as a vipd's, but not removed. */
  readonly left: readonly (Found & { readonly why: string })[]
  readonly failed: readonly (Found & { readonly why: string })[]
  /** The kernel shows who put an address there. */
  readonly marks: boolean
  readonly entries: SweptEntries
  readonly links: SweptLinks
  readonly settings: SweptSettings
}

export const keepsNothing: Keeps = {
  address: () => false,
  entry: () => false,
  link: () => false,
}

/**
 * Rules, routes, addresses, links, then the settings of interfaces. Throws OpError when the kernel's cannot be read.
 */
export function sweep(survey: Survey, request: Request, keeps = keepsNothing): Swept {
  const found = everyAddress(request)
  const marks = kernelMarks(
    release(),
    found.map((it) => it.address),
  )
  const judge = new Judge(survey, marks)
  const recorded = objectsOf(survey.own, survey.scope)
  const owned = recorded.flatMap((it) => ('identity' in it ? [it] : []))
  const entries = sweepEntries(owned, judge, request, keeps)
  const hosts = found.filter(
    (it) =>
      it.address.secondary &&
      it.address.family === 4 &&
      it.address.protocol !== keepalivedProtocol &&
      judge.address(it.address, it.interface).kind === 'foreign',
  )
  const removed: Found[] = []
  const left: Swept['left'][number][] = []
  const failed: Swept['failed'][number][] = []
  for (const it of found) {
    const verdict: Verdict = judge.address(it.address, it.interface)
    // Without marks it would be taken for another program's from now on.
    const kept = marks && keeps.address(it.address, it.interface)
    if (verdict.kind === 'foreign' || (kept && verdict.kind === 'ours')) continue
    if (verdict.kind === 'left') {
      left.push({ ...it, why: verdict.why })
      continue
    }
    const why = remove(it.address, request)
    if (why !== 'gone') putBack(it, hosts, request)
    if (why === null) removed.push(it)
    else if (why !== 'gone') failed.push({ ...it, why })
  }
  const links = sweepLinks(judge, request, keeps)
  const settings = sweepSettings(survey, request)
  return { removed, left, failed, marks, entries, links, settings }
}

/** '10.0.0.100/24 on eth0', 'the route 192.0.2.0/24 table 254', 'the link vrrp.51' */
export function describeFound(found: Found | FoundEntry | FoundLink): string {
  if ('kind' in found) return `the ${found.kind} ${found.text}`
  if ('owned' in found) return `the link ${found.owned.name}`
  return `${found.address.address}/${found.address.prefixLength} on ${found.interface}`
}

function everyAddress(request: Request): readonly Listed[] {
  const names = new Map(
    decodeMessages(request(encodeLinkDump())).flatMap((m) =>
      m.kind === 'newlink' ? [[m.link.ifindex, m.link.name] as const] : [],
    ),
  )
  return decodeMessages(request(encodeAddressDump())).flatMap((message) => {
    if (message.kind !== 'newaddr') return []
    const name = names.get(message.address.ifindex)
    if (name === undefined) return []
    const again = encodeAddressAgain(message.body)
    return [{ address: message.address, interface: name, again }]
  })
}

/** The kernel says EEXIST of what it did not take, and what it refuses now the owner has to know of: nothing is lost here. */
function putBack(gone: Found, hosts: readonly Listed[], request: Request): void {
  for (const it of hosts) {
    const same = it.address.ifindex === gone.address.ifindex
    if (!same || networkOfHeld(it.address) !== networkOfHeld(gone.address)) continue
    try {
      request(it.again)
    } catch (error) {
      if (!(error instanceof OpError)) throw error
    }
  }
}

const goneAlready: readonly string[] = ['EADDRNOTAVAIL', 'ENODEV']

/** null: removed; else why not. */
function remove(address: LinkAddress, request: Request): string | null {
  const { peer, prefixLength } = address
  const spec = { ...address, peer: peer === null ? null : { address: peer, prefixLength } }
  try {
    request(encodeAddressDelete(spec))
    return null
  } catch (error) {
    if (!(error instanceof OpError)) throw error
    return goneAlready.includes(error.code) ? 'gone' : error.message
  }
}
