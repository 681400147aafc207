/**
 * Another program of this host that sends adverts of one of our VRIDs on our interface: a keepalived, a second vipd. The
 * two never hear each other, because the kernel returns no multicast to the host that sent it, so both are master and
 * neither says a word. While an instance leads, what goes out of its interface is looked at for some adverts' time, at
 * once and then every minute: more adverts than this daemon has sent are another program's.
 */
import type { Log } from '../../base/log.ts'
import type { SlotId } from '../../engine/order.ts'
import { outgoingFilter } from '../../wire/bpf.ts'
import { outgoingVrid } from '../../wire/outgoing.ts'
import { InterfaceLooks, type Leading, type Look, type PacketSockets } from './interface-looks.ts'

/** A master on a multicast group. */
export type Leader = Leading & {
  readonly name: string
  readonly family: 4 | 6
  readonly vrid: number
  readonly interface: string
}

export type SameHostPorts = {
  readonly sockets: PacketSockets
  readonly log: Log
  leaders(): readonly Leader[]
  /** Adverts of the slot that the engine has sent so far. */
  sent(slot: SlotId): number
  /** Everything that was sent has been counted. */
  counted(): Promise<void>
}

/** An advert that a busy thread has sent and not counted yet is no other program's. */
const surplusMin = 2

type Counted = Leader & { readonly sentBefore: number }

export class SameHost {
  readonly #ports: SameHostPorts
  readonly looks: InterfaceLooks<Leader>

  constructor(ports: SameHostPorts) {
    this.#ports = ports
    this.looks = new InterfaceLooks({
      sockets: ports.sockets,
      filter: outgoingFilter(),
      adverts: 5,
      spanMs: { least: 3_000, most: 20_000 },
      packetsMax: null,
      leaders: ports.leaders,
      begin: (leaders) => this.#begin(leaders),
    })
  }

  /** What was sent is counted before the first packet can be seen, so that ours are never too few. */
  #begin(leaders: readonly Leader[]): Look {
    const counted = leaders.map((it) => ({ ...it, sentBefore: this.#ports.sent(it.slot) }))
    /** By family and VRID. */
    const seen = new Map<string, number>()
    return {
      packet: (bytes) => {
        const key = outgoingVrid(bytes)
        if (key !== null) seen.set(key, (seen.get(key) ?? 0) + 1)
      },
      judge: async () => {
        await this.#ports.counted()
        if (!this.looks.stopped) this.#judge(counted, seen)
      },
    }
  }

  #judge(leaders: readonly Counted[], seen: ReadonlyMap<string, number>): void {
    const still = new Map(this.#ports.leaders().map((it) => [it.slot, it.since]))
    for (const leader of leaders) {
      // Another tenure has sent other adverts.
      if (still.get(leader.slot) !== leader.since) continue
      const ours = this.#ports.sent(leader.slot) - leader.sentBefore
      const theirs = (seen.get(`${leader.family} ${leader.vrid}`) ?? 0) - ours
      this.#report(leader, theirs >= surplusMin)
    }
  }

  #report({ slot, name, vrid, interface: on }: Leader, found: boolean): void {
    const { log } = this.#ports
    const text = `another program on this host sends adverts of VRID ${vrid} on ${on}: two masters that do not hear each other`
    const change = this.looks.find(slot, found ? `${name} is MASTER, but ${text}` : null)
    if (change === 'new') log.error(`(${name}) ${text}`, { instance: name })
    if (change === 'over')
      log.info(`(${name}) no other program on this host uses VRID ${vrid} on ${on}`)
  }
}
