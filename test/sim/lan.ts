/**
 * The wire between the hosts: carries encoded bytes, loses, delays, doubles and cuts them, each direction
 * between two hosts on its own. Reordering is delay that differs from packet to packet.
 */
import type { Ip } from '../../src/base/ip.ts'
import type { Agenda } from './agenda.ts'
import type { Prng } from './prng.ts'
import type { Signed } from './seals.ts'

export type Packet = Signed & {
  readonly from: Ip
  readonly to: Ip
  readonly ttl: number
  /** An advert that its receivers must believe; false for what a foreigner makes up. */
  readonly valid: boolean
}

export type Port = {
  /** An advert. */
  receive(packet: Packet): void
  /** A BFD packet that one of its addresses is meant by. */
  bfd?(packet: Packet): void
  frame(bytes: Uint8Array): void
}

/** What a cut holds back: all, or the packets of BFD, or the adverts alone. */
export type Path = 'all' | 'bfd' | 'adverts'

export type Weather = {
  readonly loss: number
  readonly duplication: number
  readonly delayMinUs: number
  readonly delayMaxUs: number
}

export const fair: Weather = { loss: 0, duplication: 0, delayMinUs: 40, delayMaxUs: 200 }

/** The receive buffer of a socket, in packets. */
export const queuedMax = 300

const recordedMax = 32

export class Lan {
  weather: Weather = fair
  /** What hosts have sent lately, for an attacker. */
  readonly recorded: Packet[] = []
  readonly #agenda: Agenda
  readonly #prng: Prng
  readonly #ports: Port[] = []
  /** Directions in which nothing passes, each with how many faults cut it. */
  readonly #cuts: Readonly<Record<Path, Map<number, number>>> = {
    all: new Map(),
    bfd: new Map(),
    adverts: new Map(),
  }

  constructor(agenda: Agenda, prng: Prng) {
    this.#agenda = agenda
    this.#prng = prng
  }

  /** The number of the new port: ports are numbered from 0. */
  attach(port: Port): number {
    this.#ports.push(port)
    return this.#ports.length - 1
  }

  /** Cuts one direction; the answer undoes that. */
  cut(from: number, to: number, path: Path = 'all'): () => void {
    const key = from * 1_000 + to
    const cuts = this.#cuts[path]
    const change = (by: number): void => {
      const count = (cuts.get(key) ?? 0) + by
      if (count > 0) cuts.set(key, count)
      else cuts.delete(key)
    }
    change(1)
    return () => change(-1)
  }

  /** Announcements, or BFD's packets, or adverts. */
  passes(from: number, to: number, path: Path = 'adverts'): boolean {
    const key = from * 1_000 + to
    return !this.#cuts.all.has(key) && (path === 'all' || !this.#cuts[path].has(key))
  }

  send(sender: number, packet: Packet): void {
    if (packet.valid && this.recorded.push(packet) > recordedMax) this.recorded.shift()
    this.#spread(sender, 'adverts', (port) => port.receive(packet))
  }

  bfd(sender: number, packet: Packet): void {
    this.#spread(sender, 'bfd', (port) => port.bfd?.(packet))
  }

  frame(sender: number, bytes: Uint8Array): void {
    this.#spread(sender, 'all', (port) => port.frame(bytes))
  }

  #spread(sender: number, path: Path, hand: (port: Port) => void): void {
    const { loss } = this.weather
    for (let to = 0; to < this.#ports.length; to++) {
      const port = this.#ports[to]
      if (to === sender || port === undefined || !this.passes(sender, to, path)) continue
      if (loss > 0 && this.#prng.chance(loss)) continue
      for (const delayUs of this.#delays()) this.#agenda.after(delayUs, () => hand(port))
    }
  }

  /** Of each copy. */
  #delays(): readonly number[] {
    const { duplication, delayMinUs, delayMaxUs } = this.weather
    const copies = duplication > 0 && this.#prng.chance(duplication) ? 2 : 1
    return Array.from({ length: copies }, () => this.#prng.between(delayMinUs, delayMaxUs))
  }
}
