/**
 * The kernel lease in plans (kernel/lease-rules.ts has the rules): a lead tells the packet filter before its first advert
 * that its adverts may renew from now on; what gives addresses back tells it before that they are about to go, which a
 * priority-0 advert says as well, and when they have gone.
 */
import type { Ip } from '../base/ip.ts'
import { type Us, us } from '../base/time.ts'
import { encodeNote, encodeNoteFrame, noteHead } from '../wire/lease-note.ts'
import type { LinkId, Plan } from './order.ts'

/** Of an instance whose lease is in force: the table stands, with rules for it. */
export type LeaseFacts = {
  /** `leaseIdBytes` octets. */
  readonly id: Uint8Array
  /** The interface that its adverts leave by. */
  readonly ifindex: number
  /** The kernel answers at least so long after an advert, and takes one that comes later for a stale master's. */
  readonly leastUs: Us
}

type Leased = { readonly link: LinkId; readonly lease: LeaseFacts | null }

/** No copy of an advert: it goes to none of its destinations. */
const nowhere = '0.0.0.0' as Ip

/** Ahead of the adverts. */
function note(word: 'open' | 'mute', { link, lease }: Leased): Plan {
  if (lease === null) return []
  const bytes = encodeNote(word, lease.id)
  return [{ kind: 'datagram', link, to: nowhere, head: noteHead, bytes }]
}

export const leaseOpens = (facts: Leased): Plan => note('open', facts)
export const leaseMutes = (facts: Leased): Plan => note('mute', facts)

/** Behind the requests that take the addresses away. */
export const leaseEnds = ({ lease }: Leased): Plan =>
  lease === null
    ? []
    : [{ kind: 'frame', ifindex: lease.ifindex, bytes: encodeNoteFrame('end', lease.id) }]

/**
 * `lateUs`: how late an advert may be for the peers' sake. One that the lease would not let pass is too late as well: the
 * time since the last one is an interval and what this one is late.
 */
export const leaseLateUs = (lateUs: Us, { lease }: Leased, intervalUs: Us): Us =>
  lease === null ? lateUs : us(Math.max(0, Math.min(lateUs, lease.leastUs - intervalUs)))
