/**
 * A host's kernel as far as vipd can tell: links and addresses, changed by the finished rtnetlink bytes of the
 * plans, read by dumps, and telling of every change. It outlives the daemon.
 */
import { concatBytes, viewOf } from '../../src/base/bytes.ts'
import type { Ip } from '../../src/base/ip.ts'
import {
  cString,
  encodeAttribute,
  encodeMessage,
  hostIsLittleEndian,
  splitMessages,
} from '../../src/wire/netlink.ts'
import { decodeMessages, type RouteMessage } from '../../src/wire/rtnetlink.ts'
import { encodeAddressDelete, encodeAddressReplace } from '../../src/wire/rtnetlink-address.ts'
import { nlm, type } from '../../src/wire/rtnetlink-numbers.ts'
import { encodeRouteForget } from '../../src/wire/rtnetlink-route.ts'
import { encodeRuleForget } from '../../src/wire/rtnetlink-rule.ts'
import { plainAddress } from '../unit/wire/plain-address.ts'

const newLink = 16
const deleteLink = 17
const getLink = 18
const getAddress = 22
/** RTPROT_BOOT, and where struct rtmsg has it. */
const foreignProtocol = 3
const protocolAt = 5
const iff = { up: 1, running: 0x40, multicast: 0x1000 }

type Held = {
  readonly bytes: Uint8Array
  readonly prefixLength: number
  readonly label: string | null
  readonly validSeconds: number | null
  /** Distinguishes this setting of the address from a later one. */
  readonly epoch: number
}

export class SimKernel {
  readonly mac: Uint8Array
  /** Told of every change, as a notification's bytes. */
  listener: ((bytes: Uint8Array) => void) | null = null
  #up = true
  #gone = false
  /** Another device gets another one. */
  #ifindex = 2
  #epoch = 0
  readonly #held = new Map<Ip, Held>()
  /** Routes and rules by identity, each with the notification of its end. */
  readonly #entries = new Map<string, Uint8Array>()
  readonly #source: readonly Ip[]
  readonly #later: (seconds: number, run: () => void) => void

  constructor(
    number: number,
    source: readonly Ip[],
    later: (seconds: number, run: () => void) => void,
  ) {
    this.mac = Uint8Array.of(2, 0, 0, 0, 0, number)
    this.#source = source
    this.#later = later
    this.#setSource()
  }

  /** There, and with a carrier. */
  get up(): boolean {
    return this.#up && !this.#gone
  }

  get interfaces(): readonly string[] {
    return this.#gone ? ['lo'] : ['lo', 'eth0']
  }

  /** null: it has none, or is not held. */
  labelOf(address: Ip): string | null {
    return this.#held.get(address)?.label ?? null
  }

  holds(address: Ip): boolean {
    return this.#held.has(address)
  }

  /** How often an address has been set. */
  get settings(): number {
    return this.#epoch
  }

  /** Which of those it was that stands; 0: none of a daemon's. */
  settingOf(address: Ip): number {
    return this.#held.get(address)?.epoch ?? 0
  }

  /** Of routes and rules, those whose identity has that text. */
  entriesWith(text: string): readonly string[] {
    return [...this.#entries.keys()].filter((identity) => identity.includes(text))
  }

  /** Away, by whatever program. */
  removeEntry(identity: string): void {
    const told = this.#entries.get(identity)
    if (!this.#entries.delete(identity) || told === undefined) return
    this.listener?.(told)
  }

  /** Another program's route takes its place. */
  replaceEntry(identity: string): void {
    const told = this.#entries.get(identity)
    if (!this.#entries.delete(identity) || told === undefined) return
    const [removal] = splitMessages(told).messages
    if (removal === undefined) return
    const body = Uint8Array.from(removal.body)
    body[protocolAt] = foreignProtocol
    this.listener?.(encodeMessage(type.newRoute, nlm.replace, body))
  }

  /** Another program gives the address that stands lifetimes of its own. */
  alter(address: Ip, seconds: number): void {
    const held = this.#held.get(address)
    if (held === undefined) return
    const bytes = setAddress(address, this.#ifindex, held.prefixLength, seconds)
    this.#hold(address, { ...held, bytes, validSeconds: seconds })
    this.listener?.(bytes)
  }

  /** null: for ever; undefined: it is not held. */
  validOf(address: Ip): number | null | undefined {
    return this.#held.get(address)?.validSeconds
  }

  /**
   * What a daemon that starts does with the routes and rules of a dead one, whichever file they were of (sweep-entries.ts).
   * Not with the addresses: those have their lifetimes, and a sweep may fail.
   */
  sweepEntries(kept: (identity: string) => boolean): void {
    for (const identity of [...this.#entries.keys()])
      if (!kept(identity)) this.#entries.delete(identity)
  }

  /** One request of a plan. Idempotent, as the plans' tolerated errors make it. */
  carryOut(bytes: Uint8Array): void {
    for (const message of decodeMessages(bytes)) {
      this.#carryOutEntry(message)
      if (message.kind !== 'newaddr' && message.kind !== 'deladdr') continue
      if (message.address.ifindex !== this.#ifindex || this.#gone) continue
      if (message.kind === 'newaddr') this.#add(message.address, bytes)
      else this.remove(message.address.address)
    }
  }

  /** A route needs its device, up; a rule nothing. */
  #carryOutEntry(message: RouteMessage): void {
    if (message.kind === 'newroute' && this.up)
      this.#entries.set(message.identity, encodeRouteForget(message.body))
    if (message.kind === 'newrule')
      this.#entries.set(message.identity, encodeRuleForget(message.body))
    if (message.kind === 'delroute' || message.kind === 'delrule')
      this.removeEntry(message.identity)
  }

  /** The kernel says nothing of it. */
  #dropRoutes(): void {
    for (const identity of this.entriesWith('route ')) this.#entries.delete(identity)
  }

  /** Away, by whatever program. */
  remove(address: Ip): void {
    const held = this.#held.get(address)
    if (held === undefined) return
    this.#held.delete(address)
    const { prefixLength } = held
    const ifindex = this.#ifindex
    this.listener?.(encodeAddressDelete({ ifindex, address, prefixLength, peer: null, scope: 0 }))
  }

  setUp(up: boolean): void {
    if (up === this.#up) return
    this.#up = up
    if (!up) this.#dropRoutes()
    if (!this.#gone) this.listener?.(this.#linkMessage())
  }

  /** The device is unregistered, with its addresses. */
  removeLink(): void {
    for (const address of [...this.#held.keys()]) this.remove(address)
    this.#gone = true
    this.#dropRoutes()
    this.listener?.(this.#linkMessage(deleteLink))
  }

  /** Another device of that name: with what the distribution configures, and nothing of ours. */
  addLink(): void {
    if (!this.#gone) return
    this.#gone = false
    this.#up = true
    this.#ifindex += 1
    this.listener?.(this.#linkMessage())
    this.#setSource()
    for (const { bytes } of this.#held.values()) this.listener?.(bytes)
  }

  /** The answer to a dump. */
  request(bytes: Uint8Array): Uint8Array {
    const kind = splitMessages(bytes).messages[0]?.type
    if (kind === getLink) return this.#gone ? new Uint8Array(0) : this.#linkMessage()
    if (kind !== getAddress) {
      this.carryOut(bytes)
      return new Uint8Array(0)
    }
    return concatBytes([...this.#held.values()].map((held) => held.bytes))
  }

  /** The machine starts anew: only what the distribution configures is there. */
  reboot(): void {
    this.#held.clear()
    this.#entries.clear()
    this.#up = true
    this.#gone = false
    this.#setSource()
  }

  #setSource(): void {
    for (const address of this.#source)
      this.#held.set(address, sourceAddress(address, this.#ifindex))
  }

  #add(
    spec: {
      readonly address: Ip
      readonly prefixLength: number
      readonly validSeconds: number | null
      readonly label: string | null
    },
    bytes: Uint8Array,
  ): void {
    const { address, prefixLength, validSeconds } = spec
    const before = this.#held.get(address)
    const known = before !== undefined
    // NLM_F_REPLACE alters the lifetimes of an IPv4 address that is there, and nothing else.
    const label = known ? before.label : spec.label
    this.#hold(address, { bytes, prefixLength, label, validSeconds })
    if (!known) this.listener?.(bytes)
  }

  /** From now on, for so long. */
  #hold(address: Ip, held: Omit<Held, 'epoch'>): void {
    this.#epoch += 1
    const epoch = this.#epoch
    this.#held.set(address, { ...held, epoch })
    if (held.validSeconds !== null)
      this.#later(held.validSeconds, () => {
        if (this.#held.get(address)?.epoch === epoch) this.remove(address)
      })
  }

  #linkMessage(kind = newLink): Uint8Array {
    const header = new Uint8Array(16)
    const view = viewOf(header)
    view.setInt32(4, this.#ifindex, hostIsLittleEndian)
    view.setUint32(8, iff.multicast | (this.#up ? iff.up | iff.running : 0), hostIsLittleEndian)
    const attributes = [encodeAttribute(3, cString('eth0')), encodeAttribute(1, this.mac)]
    return encodeMessage(kind, 0, concatBytes([header, ...attributes]))
  }
}

const sourceAddress = (address: Ip, ifindex: number): Held => ({
  bytes: setAddress(address, ifindex, 24, null),
  prefixLength: 24,
  label: null,
  validSeconds: null,
  epoch: 0,
})

const setAddress = (
  address: Ip,
  ifindex: number,
  prefixLength: number,
  validSeconds: number | null,
): Uint8Array =>
  encodeAddressReplace(plainAddress(address, { ifindex, prefixLength, validSeconds }))
