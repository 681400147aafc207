/**
 * The kernel lease as a fact of a host's kernel: what the rules of kernel/lease-rules.ts do with the frames that leave and
 * with the packets that arrive. It outlives the daemon. Timeouts count in ticks of the host's clock, as jiffies do.
 */
import type { Us } from '../../src/base/time.ts'
import type { Step } from '../../src/engine/order.ts'
import { leaseId } from '../../src/kernel/lease-rules.ts'
import { decodeNote } from '../../src/wire/lease-note.ts'

const ethernetBytes = 14
/** An address's lifetime and what the guard has beyond it. */
export const guardMarginUs = 3_000_000

type Flag = 'lead' | 'live' | 'gate'

export type LeaseTimes = {
  readonly leaseUs: number
  readonly lifetimeUs: number
  readonly tickUs: number
}

export class SimLease {
  /** The table is there. */
  stands = true
  readonly #times: LeaseTimes
  readonly #now: () => Us
  /** VRID of each instance by the id in its notes. */
  readonly #vrids: ReadonlyMap<string, number>
  /** Until when each stands, in ticks. */
  readonly #until = new Map<string, number>()

  constructor(instances: ReadonlyMap<string, number>, times: LeaseTimes, now: () => Us) {
    this.#times = times
    this.#now = now
    this.#vrids = new Map([...instances].map(([name, vrid]) => [text(leaseId(name)), vrid]))
  }

  /** `nft flush ruleset`, or a machine that starts anew. */
  flush(): void {
    this.stands = false
    this.#until.clear()
  }

  /** What a step that leaves comes to: 'out', or the table takes or drops it. */
  leaving(step: Step): 'out' | 'taken' | 'dropped' {
    const note = noteIn(step)
    if (note !== null) {
      const vrid = this.#vrids.get(text(note.id))
      // What no table takes leaves as a frame that no host reads.
      if (this.stands && vrid !== undefined) this.#take(vrid, note.note)
      return 'taken'
    }
    if (step.kind !== 'datagram' || !this.stands) return 'out'
    const [, vrid = 0, priority = 0] = step.bytes
    if (priority === 0) this.#clear(vrid, ['lead', 'live'])
    else if (this.#is(vrid, 'lead')) this.#renew(vrid, ['lead', 'live', 'gate'])
    else if (this.#is(vrid, 'gate')) return 'dropped'
    return 'out'
  }

  /** Packets for its addresses are delivered. */
  answers(vrid: number): boolean {
    return this.#is(vrid, 'live') || !this.#is(vrid, 'gate')
  }

  mutes(vrid: number): boolean {
    return this.#is(vrid, 'gate')
  }

  #take(vrid: number, note: 'open' | 'mute' | 'end'): void {
    if (note === 'open') this.#renew(vrid, ['lead', 'gate'])
    else this.#clear(vrid, note === 'end' ? ['lead', 'live', 'gate'] : ['lead', 'live'])
  }

  get #tick(): number {
    return Math.floor(this.#now() / this.#times.tickUs)
  }

  #renew(vrid: number, flags: readonly Flag[]): void {
    const { leaseUs, lifetimeUs, tickUs } = this.#times
    for (const flag of flags) {
      const spanUs = flag === 'gate' ? lifetimeUs + guardMarginUs : leaseUs
      this.#until.set(`${flag} ${vrid}`, this.#tick + Math.ceil(spanUs / tickUs))
    }
  }

  #clear(vrid: number, flags: readonly Flag[]): void {
    for (const flag of flags) this.#until.delete(`${flag} ${vrid}`)
  }

  #is(vrid: number, flag: Flag): boolean {
    return (this.#until.get(`${flag} ${vrid}`) ?? 0) > this.#tick
  }
}

const text = (id: Uint8Array): string => Buffer.from(id).toString('hex')

export const isNote = (step: Step): boolean => noteIn(step) !== null

function noteIn(step: Step): ReturnType<typeof decodeNote> {
  if (step.kind === 'datagram' && step.head !== undefined) return decodeNote(step.head, step.bytes)
  if (step.kind !== 'frame') return null
  return decodeNote(step.bytes.subarray(0, ethernetBytes), step.bytes.subarray(ethernetBytes))
}
