/** One machine with a clock, for tests that read like a story: feed something at a second, look at the state. */
import assert from 'node:assert/strict'
import { type Ip, parseIp } from '../../../src/base/ip.ts'
import { secondsToUs, type Us, us } from '../../../src/base/time.ts'
import { initial, step } from '../../../src/election/step.ts'
import type {
  Cause,
  Effect,
  Event,
  Fault,
  Params,
  State,
  Step,
} from '../../../src/election/types.ts'

export const ip = (text: string): Ip => {
  const parsed = parseIp(text)
  assert.ok(parsed !== null, text)
  return parsed
}

/** Version 3, priority 100, one second, preempting, 10.0.0.10. */
export const params = (over: Partial<Params> = {}): Params => ({
  name: 'VI_1',
  version: 3,
  basePriority: 100,
  advertIntervalUs: secondsToUs(1),
  downTimerAdverts: 3,
  preempt: true,
  preemptDelayUs: us(0),
  lowerPrioNoAdvert: false,
  higherPrioSendAdvert: false,
  ownerIgnoreAdverts: false,
  resignOnDemotion: false,
  maxIntervalRatio: 10,
  source: ip('10.0.0.10'),
  ...over,
})

export const advert = (
  priority: number,
  from = '10.0.0.2',
  intervalUs: Us = secondsToUs(1),
): Event => ({ kind: 'advert', advert: { from: ip(from), priority, intervalUs } })

export const linkDown: Fault = { kind: 'link', interface: 'eth0', why: 'down' }
export const pending: Fault = { kind: 'check-pending', name: 'chk' }

type Kind = State['kind']

export class Host {
  readonly params: Params
  last: Step
  now = us(0)

  constructor(over: Partial<Params> = {}) {
    this.params = params(over)
    this.last = { machine: initial(this.params), effects: [], order: 'keep', accepted: false }
  }

  /** At `seconds`, which never goes back. */
  feed(event: Event, seconds = this.now / 1_000_000): this {
    this.now = secondsToUs(seconds)
    this.last = step(this.params, this.last.machine, event, this.now)
    return this
  }
  start(seconds = 0): this {
    return this.feed({ kind: 'start' }, seconds)
  }
  /** Started at 0 and, having heard no router, master when its down interval is over. */
  becomeMaster(): this {
    this.start()
    return this.feed({ kind: 'expired' }, this.as('backup').masterDownAt / 1_000_000)
  }

  get state(): State {
    return this.last.machine.state
  }
  get effective(): number {
    return this.last.machine.effective
  }
  as<K extends Kind>(kind: K): State & { readonly kind: K } {
    const { state } = this
    assert.equal(state.kind, kind)
    return state as State & { readonly kind: K }
  }
  /** How long a backup would still wait, in µs. */
  get remaining(): number {
    return this.as('backup').masterDownAt - this.now
  }
  get cause(): Cause | null {
    const moved = this.last.effects.find((e) => e.kind === 'transition')
    return moved === undefined ? null : moved.cause
  }
  get logged(): readonly string[] {
    return this.last.effects.flatMap((e) => (e.kind === 'log' ? [e.text] : []))
  }
  /** Effects without their log lines, in order. */
  get did(): readonly Effect['kind'][] {
    return this.last.effects.flatMap((e) => (e.kind === 'log' ? [] : [e.kind]))
  }
}
