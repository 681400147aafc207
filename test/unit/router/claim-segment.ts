/** A segment on which V1 leads: the frames that it hears, what it reports of them, and what it announces. */
import assert from 'node:assert/strict'
import { macOctets } from '../../../src/base/mac.ts'
import { us } from '../../../src/base/time.ts'
import type { Instance } from '../../../src/config/types.ts'
import type { EngineEvent } from '../../../src/engine/contract.ts'
import type { Step } from '../../../src/engine/order.ts'
import type { Happening } from '../../../src/report/event.ts'
import type { KeptClaim } from '../../../src/report/past-claim.ts'
import { decodeArp, encodeGratuitousArp } from '../../../src/wire/arp.ts'
import { encodeAdvert } from '../../../src/wire/vrrp.ts'
import { instance, ip } from './facts.ts'
import { config, Stage } from './reload/stage.ts'

export const second = 1_000_000
export const vip = ip('172.16.80.100')
export const other = ip('172.16.80.7')
export const arp = 0x0806
export const nd = 0x86dd
export const mac = '02:00:00:00:00:99'
export const own = '02:00:00:00:00:03'

export const one = (more: Partial<Instance> = {}): Instance =>
  instance({ name: 'V1', vrid: 51, priority: 150, advertIntervalUs: us(second), ...more })

export const gratuitous = (from = mac, address = vip): Uint8Array =>
  encodeGratuitousArp(macOctets(from), address)

export type Claimed = Happening & { readonly kind: 'claim' }

/** V1 has led for so long. */
export class Segment {
  readonly stage = new Stage()

  constructor(instances: Instance | readonly Instance[], ageSeconds = 10) {
    this.stage.apply(config([instances].flat()))
    this.stage.expireAll()
    this.stage.settle()
    this.after(ageSeconds)
    this.announced()
  }

  get now(): number {
    return this.stage.engine.time
  }

  after(seconds: number): void {
    const untilUs = this.now + seconds * second
    for (;;) {
      const due = this.stage.dispatcher.claims.dueAt(us(this.now))
      if (due === null || due > untilUs) break
      this.#at(Math.max(due, this.now))
    }
    this.#at(untilUs)
  }

  hears(frame: Uint8Array, { on = 3, protocol = arp, count = 1 } = {}): void {
    const watch = this.stage.frames.on(on, protocol)
    assert.ok(watch !== undefined, `nothing is watched on ${on}`)
    this.stage.dispatcher.onFrames([{ watch: watch.watch, at: us(this.now), count, bytes: frame }])
  }

  /** A frame of this host leaves it; unheard where that is not listened to. */
  sends(frame: Uint8Array, { on = 3, protocol = arp } = {}): void {
    const watch = this.stage.frames.on(on, protocol, 'sent')
    if (watch === undefined) return
    const heard = { watch: watch.watch, at: us(this.now), count: 1, bytes: frame }
    this.stage.dispatcher.onFrames([heard])
  }

  /** Interfaces on which it is listened to what leaves. */
  get looks(): readonly number[] {
    const watches = [...this.stage.frames.watches.values()]
    return watches.filter(({ direction }) => direction === 'sent').map(({ ifindex }) => ifindex)
  }

  get claims(): readonly string[] {
    return this.stage.happened
      .filter((it): it is Claimed => it.kind === 'claim')
      .map((it) => `${it.instance} ${it.address} ${it.mac} ${it.how} ${it.interface}`)
  }

  /** What was passed on for the history, without its times. */
  get kept(): readonly Omit<KeptClaim, 'at' | 'firstAt' | 'lastAt'>[] {
    return this.stage.happened.flatMap((it) => {
      if (it.kind !== 'past-claim') return []
      const { at: _at, firstAt: _first, lastAt: _last, ...rest } = it.claim
      return [rest]
    })
  }

  /** Addresses that were announced since it was asked last. */
  announced(): readonly string[] {
    const all = this.stage.engine.onces.splice(0)
    return all.flatMap(({ order }) => order.now.flatMap(announcedIn))
  }

  #at(timeUs: number): void {
    this.stage.engine.time = timeUs
    this.stage.dispatcher.tick()
  }
}

const announcedIn = (step: Step): readonly string[] => {
  if (step.kind !== 'frame') return []
  const decoded = decodeArp(step.bytes)
  return decoded.ok ? [decoded.value.sender] : ['?']
}

/** Of another master, to V1. */
export function advert(stage: Stage, priority: number): EngineEvent {
  const { slot, cfg, orders } = stage.named('V1')
  const [source, group] = [ip('10.0.0.9'), ip('224.0.0.18')]
  const payload = encodeAdvert({
    ...{
      version: cfg.version,
      family: 4,
      vrid: cfg.vrid,
      priority,
      intervalUs: cfg.advertIntervalUs,
    },
    ...{ addresses: [vip], password: null, source, destination: group, checksumAsV2: false },
  })
  const { link = 1 } = stage.engine.slots.get(slot) ?? {}
  const { generation } = orders
  const at = us(stage.engine.time)
  return { kind: 'packet', link, slot, generation, from: source, ttl: 255, payload, at, count: 1 }
}
