/**
 * A note to the table of the kernel lease (kernel/lease-rules.ts): a frame that the table takes, and drops, in the egress
 * hook of the interface that the adverts leave by. Where the table is missing the frame leaves the host, and dies at the
 * first bridge: its destination is one that 802.1D does not forward, its type is free for local use.
 */
import { assert } from '../base/assert.ts'
import { concatBytes, equalBytes, viewOf } from '../base/bytes.ts'

/**
 * `open`: the instance leads from now on, its adverts may renew; `mute`: it leads no more, its addresses are about to go;
 * `end`: they have gone, nothing is muted any more.
 */
export const leaseNotes = { open: 1, mute: 2, end: 3 } as const
export type LeaseNote = keyof typeof leaseNotes

/** Octets of an instance's id. */
export const leaseIdBytes = 6
/** IEEE 802 local experimental. */
export const noteType = 0x88b5
/** Behind the Ethernet header, before the note. */
export const noteMagic = 0x76_69_70_64

const nearestBridge = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e]
/** Locally administered. */
const from = [0x02, 0x76, 0x69, 0x70, 0x64, 0x00]
/** With the header, the shortest frame there is. */
const payloadBytes = 46

export const noteHead: Uint8Array = Uint8Array.of(
  ...nearestBridge,
  ...from,
  noteType >> 8,
  noteType & 0xff,
)

/** What follows the header. */
export function encodeNote(note: LeaseNote, id: Uint8Array): Uint8Array {
  assert(id.length === leaseIdBytes, 'an id has six octets')
  const payload = new Uint8Array(payloadBytes)
  viewOf(payload).setUint32(0, noteMagic)
  payload[4] = leaseNotes[note]
  payload.set(id, 5)
  return payload
}

export const encodeNoteFrame = (note: LeaseNote, id: Uint8Array): Uint8Array =>
  concatBytes([noteHead, encodeNote(note, id)])

/**
 * null: no note.
 * @codec
 */
export function decodeNote(
  head: Uint8Array,
  payload: Uint8Array,
): { readonly note: LeaseNote; readonly id: Uint8Array } | null {
  if (!equalBytes(head, noteHead) || payload.length < 5 + leaseIdBytes) return null
  if (viewOf(payload).getUint32(0) !== noteMagic) return null
  const names = Object.keys(leaseNotes) as LeaseNote[]
  const note = names.find((name) => leaseNotes[name] === payload[4])
  return note === undefined ? null : { note, id: payload.slice(5, 5 + leaseIdBytes) }
}
