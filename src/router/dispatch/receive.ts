/**
 * From a packet to an advert that the election may see: decodes and checks it, counts what is rejected by its
 * reason, and says each reason once until the state or the master changes (RFC 9568 section 7.1 asks for a
 * bounded log).
 */
import { type Ip, isLinkLocal } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { type Us, us, usToMilliseconds } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import type { Advert } from '../../election/types.ts'
import type { Packet } from '../../engine/contract.ts'
import { explainReject } from '../../wire/explain-reject.ts'
import {
  type ChecksumForm,
  decodeAdvert,
  type Expectation,
  emptyRejects,
  type Reject,
  sameAddresses,
  statedIntervalUs,
} from '../../wire/vrrp.ts'
import { type ChecksumCounts, ChecksumForms } from './checksum-forms.ts'
import { IgnoredSenders } from './ignored-senders.ts'
import {
  describeSealReject,
  describeSkew,
  type SealReject,
  sealReject,
  sealRemedy,
} from './seals.ts'

/** Senders and intervals that are named until the state or the master changes. */
const intervalsSaid = 4
/** Senders that are named for one reason, likewise. */
const sendersSaid = 4

export class Receiver {
  readonly rejects: Record<Reject, number> = emptyRejects()
  /** Adverts whose address list is not ours: used all the same, as keepalived does from 2.3.3 on. */
  addressListDiffers = 0
  /** Adverts with octets behind the complete message, which are ignored. */
  excessOctets = 0
  /** IPv6 adverts whose first address is not link-local: used all the same. */
  firstNotLinkLocal = 0
  /** Adverts of version 3 whose interval is not ours: used, as the RFC asks. */
  intervalDiffers = 0
  priorityZero = 0
  /** Senders that are heard and not believed. */
  readonly ignored = new IgnoredSenders()
  #forms = new ChecksumForms()
  #cfg: Instance
  #expect: Expectation
  readonly #log: Log
  readonly #said = new Set<string>()

  constructor(cfg: Instance, log: Log) {
    this.#cfg = cfg
    this.#expect = expectationOf(cfg)
    this.#log = log
  }

  reconfigure(cfg: Instance): void {
    this.#cfg = cfg
    this.#expect = expectationOf(cfg)
    this.ignored.clear()
    this.newEpoch()
  }

  /** The sockets are new, and the engine counts from zero. */
  rejoined(): void {
    this.#forms = new ChecksumForms()
  }

  /** `received`: adverts that the engine has counted; another engine counts from zero. */
  snapshot(received: number) {
    const { addressListDiffers, excessOctets, firstNotLinkLocal, intervalDiffers } = this
    return {
      counters: {
        addressListDiffers,
        excessOctets,
        firstNotLinkLocal,
        intervalDiffers,
        priorityZero: this.priorityZero,
      },
      rejects: { ...this.rejects },
      ignored: this.ignored.snapshot(),
      forms: this.#forms.snapshot(received),
      said: [...this.#said],
    }
  }

  adopt(state: ReturnType<Receiver['snapshot']>): void {
    Object.assign(this, state.counters)
    Object.assign(this.rejects, state.rejects)
    this.ignored.adopt(state.ignored)
    this.#forms.adopt(state.forms)
    for (const kind of state.said) this.#said.add(kind)
  }

  /** null where there is only one form. `received`: adverts that the engine has counted. */
  checksums(received: number): ChecksumCounts | null {
    return this.#cfg.version === 3 && this.#cfg.family === 4 ? this.#forms.totals(received) : null
  }

  /** The state or the master changed: what was said may be said again. */
  newEpoch(): void {
    this.#said.clear()
  }

  /**
   * `own`: the source address of our link, the destination of what reaches us by unicast. `received`: how many adverts
   * the engine has counted by now. null: rejected.
   */
  receive(packet: Packet, own: Ip, received: () => number): Advert | null {
    const sealed = sealReject(this.#cfg, packet)
    if (sealed !== null) {
      this.#rejectSeal(sealed, packet)
      return null
    }
    const { transport } = this.#cfg
    const destination = transport.kind === 'multicast' ? transport.group : own
    const { payload, ttl, from: source } = packet
    const seal = packet.seal?.verdict === 'verified' ? 'verified' : 'none'
    const signed = this.#cfg.ahKey === null ? 'trailer' : 'header'
    const octets = { payload, ttl, source, destination, [signed]: seal }
    const decoded = decodeAdvert(octets, this.#expect)
    this.#forms.note(decoded.ok ? decoded.value.checksum : null, packet.count, received)
    if (!decoded.ok) {
      this.#reject(decoded.why, packet)
      return null
    }
    this.ignored.believed(source)
    const { priority, intervalUs, addresses } = decoded.value
    if (priority === 0) this.priorityZero += packet.count
    else this.#compareInterval(packet, intervalUs)
    this.#compareAddresses(source, addresses)
    this.#lookAtFirst(packet, addresses)
    this.#compareChecksum(source, decoded.value.checksum)
    if (decoded.value.excessBytes > 0) this.#noteExcess(packet, decoded.value.excessBytes)
    return { from: source, priority, intervalUs }
  }

  /** A good trailer, though the clocks are further apart than they should be. */
  skewed({ from, skewSeconds }: { readonly from: Ip; readonly skewSeconds: number }): void {
    const { hmac } = this.#cfg
    if (hmac !== null)
      this.#once(`skew ${from}`, describeSkew(from, skewSeconds, hmac.windowSeconds), 'skew')
  }

  /** The engine has counted it. */
  #rejectSeal(why: SealReject, packet: Packet): void {
    const { from, at } = packet
    const explanation = sealRemedy[why]
    this.ignored.note({ from, why, explanation }, at, this.#cfg.advertIntervalUs)
    if (this.#saidOf(why) >= sendersSaid) return
    const text = describeSealReject(why, packet, this.#cfg.hmac?.windowSeconds ?? 0)
    this.#once(`${why} ${from}`, `${text}: ${explanation}`, why)
  }

  #saidOf(why: string): number {
    return [...this.#said].filter((kind) => kind.startsWith(`${why} `)).length
  }

  #reject(why: Reject, packet: Packet): void {
    const { from, at, count, payload, ttl } = packet
    this.rejects[why] += count
    const explanation = explainReject(why, { payload, ttl }, this.#expect)
    const intervalUs = us(Math.max(this.#cfg.advertIntervalUs, statedIntervalUs(payload)))
    this.ignored.note({ from, why, explanation }, at, intervalUs)
    if (this.#saidOf(why) >= sendersSaid) return
    this.#once(`${why} ${from}`, `ignoring advert from ${from}: ${why}: ${explanation}`, why)
  }

  /** RFC 9568 section 7.1: SHOULD be logged, whether we follow the sender or not. Version 2 rejects it. */
  #compareInterval({ from, count }: Packet, theirs: Us): void {
    const { advertIntervalUs: ours, version } = this.#cfg
    if (version === 2 || theirs === ours) return
    this.intervalDiffers += count
    const { maxIntervalRatio: ratio } = this.#cfg
    const counted =
      ratio > 0 && theirs > ratio * ours
        ? `an interval error, more than ${ratio} times ours (vipd_max_interval_ratio): counts as ${usToMilliseconds(us(ratio * ours))} ms`
        : "a backup counts with its master's interval"
    const kinds = [...this.#said].filter((kind) => kind.startsWith('advert-interval'))
    if (kinds.length >= intervalsSaid) return
    this.#once(
      `advert-interval ${from} ${theirs}`,
      `advert from ${from} every ${usToMilliseconds(theirs)} ms, ours every ${usToMilliseconds(ours)} ms: ${counted}`,
    )
  }

  /** RFC 9568 section 5.2.9: MUST be link-local. keepalived does not send it so by itself, and accepts it. */
  #lookAtFirst({ from, count }: Packet, [first]: readonly Ip[]): void {
    const { family, version } = this.#cfg
    if (family === 4 || version === 2 || first === undefined || isLinkLocal(first)) return
    this.firstNotLinkLocal += count
    this.#once('first-address', `the first address of ${from} is ${first}, which is not link-local`)
  }

  #compareAddresses(source: Ip, theirs: readonly Ip[]): void {
    if (this.#cfg.skipCheckAdvAddr) return
    const ours = this.#cfg.addresses.map((a) => a.address)
    if (sameAddresses(ours, theirs)) return
    this.addressListDiffers += 1
    this.#once(
      'address-list',
      `advert from ${source} carries [${theirs.join(' ')}], ours are [${ours.join(' ')}]`,
    )
  }

  /** RFC 9568 section 7.1 asks for a complete message, not for nothing behind it. */
  #noteExcess({ from, count }: Packet, octets: number): void {
    this.excessOctets += count
    const plural = octets === 1 ? '' : 's'
    this.#once('excess-octets', `ignoring ${octets} octet${plural} behind the advert of ${from}`)
  }

  /** A peer that is as strict as the RFC refuses the other form, and then there are two masters. */
  #compareChecksum(source: Ip, form: ChecksumForm): void {
    const { version, family, v3ChecksumAsV2 } = this.#cfg
    if (version !== 3 || family !== 4 || form === (v3ChecksumAsV2 ? 'message' : 'pseudo-header'))
      return
    const [theirs, remedy] =
      form === 'message'
        ? ['of the message alone (RFC 9568)', 'v3_checksum_as_v2 sends that form']
        : ['with the pseudo-header (RFC 5798, keepalived)', 'v3_checksum_as_v2 is written here']
    this.#once(
      'checksum-form',
      `advert from ${source} has a checksum ${theirs}, ours has the other form: accepted, but does ${source} accept ours? ${remedy}`,
    )
  }

  #once(kind: string, text: string, reject = kind): void {
    if (this.#said.has(kind)) return
    this.#said.add(kind)
    this.#log.warn(`(${this.#cfg.name}) ${text}`, { instance: this.#cfg.name, reject })
  }
}

function expectationOf(cfg: Instance): Expectation {
  const { transport } = cfg
  return {
    version: cfg.version,
    family: cfg.family,
    vrid: cfg.vrid,
    mode: transport.kind,
    password: cfg.password,
    ah: cfg.ahKey !== null,
    intervalUs: cfg.advertIntervalUs,
    mayBeEmpty: cfg.addresses.length === 0,
    exact: cfg.hmac !== null || cfg.ahKey !== null,
    peers: transport.kind === 'unicast' && transport.checkSource ? transport.peers : null,
  }
}
