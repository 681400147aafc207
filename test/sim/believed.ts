/**
 * Which arrivals of sealed adverts count as heard: each sequence of a sender once, and none behind a later one, whatever the
 * wire doubles and reorders. By the packets alone.
 */

import { viewOf } from '../../src/base/bytes.ts'
import type { Ip } from '../../src/base/ip.ts'
import type { Packet } from './lan.ts'
import type { Process } from './process.ts'

/** Of the trailer's end: its sequence, in front of a MAC of 16 octets. */
const sequenceFromEnd = 24

export class Believed {
  /** By VRID and sender, the latest sequence that came. */
  readonly #latest = new WeakMap<Process, Map<string, bigint>>()

  counts(process: Process, vrid: number, { from, bytes }: Packet): boolean {
    const latest = this.#latest.get(process) ?? new Map<string, bigint>()
    this.#latest.set(process, latest)
    const sequence = viewOf(bytes).getBigUint64(bytes.length - sequenceFromEnd)
    const key = keyOf(vrid, from)
    if (sequence <= (latest.get(key) ?? -1n)) return false
    latest.set(key, sequence)
    return true
  }

  /** What one process has heard the next one knows. */
  passOn(before: Process, after: Process): void {
    this.#latest.set(after, new Map(this.#latest.get(before)))
  }
}

const keyOf = (vrid: number, from: Ip): string => `${vrid} ${from}`
