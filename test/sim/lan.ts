/**
 * The wire between the hosts: carries encoded bytes, loses, delays, doubles and cuts them, each direction
 * between two hosts on its own. Reordering is delay that differs from packet to packet.
 */
import type { Ip } from '../../src/base/ip.ts'
import type { Agenda } from './agenda.ts'
import type { Prng } from './prng.ts'

export type Packet = {
  readonly from: Ip
  readonly to: Ip
  readonly ttl: number
  readonly bytes: Uint8Array
  /** An advert that its receivers must believe; false for what a foreigner makes up. */
  readonly valid: boolean
}

export type Port = {
  receive(packet: Packet): void
  frame(bytes: Uint8Array): void
}

export type Weather = {
  readonly loss: number
  readonly duplication: number
  readonly delayMinUs: number
  readonly delayMaxUs: number
}

export const fair: Weather = { loss: 0, duplication: 0, delayMinUs: 40, delayMaxUs: 200 }

export class Lan {
  weather: Weather = fair
  readonly #agenda: Agenda
  readonly #prng: Prng
  readonly #ports: Port[] = []
  /** Directions in which nothing passes, each with how many faults cut it. */
  readonly #cuts = new Map<number, number>()

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
  cut(from: number, to: number): () => void {
    const key = from * 1_000 + to
    const change = (by: number): void => {
      const count = (this.#cuts.get(key) ?? 0) + by
      if (count > 0) this.#cuts.set(key, count)
      else this.#cuts.delete(key)
    }
    change(1)
    return () => change(-1)
  }

  passes(from: number, to: number): boolean {
    return this.#cuts.size === 0 || !this.#cuts.has(from * 1_000 + to)
  }

  send(sender: number, packet: Packet): void {
    this.#spread(sender, (port) => port.receive(packet))
  }

  frame(sender: number, bytes: Uint8Array): void {
    this.#spread(sender, (port) => port.frame(bytes))
  }

  #spread(sender: number, hand: (port: Port) => void): void {
    const { loss, duplication, delayMinUs, delayMaxUs } = this.weather
    for (let to = 0; to < this.#ports.length; to++) {
      const port = this.#ports[to]
      if (to === sender || port === undefined || !this.passes(sender, to)) continue
      if (loss > 0 && this.#prng.chance(loss)) continue
      const copies = duplication > 0 && this.#prng.chance(duplication) ? 2 : 1
      for (let copy = 0; copy < copies; copy++)
        this.#agenda.after(this.#prng.between(delayMinUs, delayMaxUs), () => hand(port))
    }
  }
}
