/**
 * One host: a clock, a kernel, a place on the LAN, and at most one daemon process. What can happen to a host is done
 * here; when it happens is the business of faults.ts.
 */
import { type Us, us } from '../../src/base/time.ts'
import type { FrameWatchSpec } from '../../src/engine/frames-contract.ts'
import { leaseLengthUs } from '../../src/router/binding/kernel-lease.ts'
import { type RouterState, stateVersion } from '../../src/router/dispatch/router-state.ts'
import { Clock } from './clock.ts'
import { configOf, configText } from './configuration.ts'
import { answerOf } from './frames.ts'
import { secondSourceOf, staticNetwork, thirdInstance, thirdVrid } from './host-file.ts'
import { SimKernel } from './kernel.ts'
import { SimLease } from './kernel-lease.ts'
import type { Packet } from './lan.ts'
import { rulesBackUs, wardenLatencyUs } from './latency.ts'
import { passSessions } from './pass-sessions.ts'
import { Prng } from './prng.ts'
import { Process } from './process.ts'
import { type HostPlan, type Scenario, vipsOf } from './scenario.ts'
import { Upgrade, type UpgradeOptions } from './upgrade.ts'
import type { Surroundings } from './witness.ts'

export class Host {
  readonly plan: HostPlan
  readonly clock: Clock
  readonly kernel: SimKernel
  /** null: without one. */
  readonly lease: SimLease | null
  readonly port: number
  /** What its check says. */
  good = true
  #exchanges = 0
  /** There are descriptors for sockets. */
  opens = true
  process: Process | null = null
  /** Beside that one, to take its place. */
  #second: Process | null = null
  /** By its own clock. */
  #advertAt = 0
  /** When the last daemon ended. */
  diedAt = 0
  #asleep: 'no' | 'stopped' | 'machine' = 'no'
  #sleptFrom = 0
  #preempted = false
  readonly #around: Surroundings

  constructor(plan: HostPlan, around: Surroundings) {
    this.plan = plan
    this.#around = around
    this.clock = new Clock(plan.clockRate, plan.clockOffset)
    this.kernel = new SimKernel(
      plan.number,
      [plan.source, secondSourceOf(around.scenario.family, plan.number)],
      (seconds, run) => around.agenda.after(seconds * 1_000_000, run),
    )
    this.lease = this.#makeLease(around.scenario)
    this.port = around.lan.attach({
      receive: (packet) => this.#receive(packet),
      bfd: (packet) => this.#bfd(packet),
      frame: (bytes) => this.#frame(bytes),
    })
  }

  #makeLease(scenario: Scenario): SimLease | null {
    if (scenario.lease === undefined) return null
    const { advertUs, lifetimeS } = scenario
    const { tickUs } = scenario.lease
    const leaseUs = leaseLengthUs(
      { downTimerAdverts: 3, advertIntervalUs: us(advertUs) },
      us(tickUs),
    )
    const times = { leaseUs, lifetimeUs: lifetimeS * 1_000_000, tickUs }
    const instances = new Map(vipsOf(scenario).map(({ instance, vrid }) => [instance, vrid]))
    instances.set(thirdInstance, thirdVrid)
    return new SimLease(instances, times, () => this.now())
  }

  /** Another program flushes the rules of the host; a daemon that runs hears of it, and soon makes its own again. */
  flushRules(): void {
    if (this.lease === null) return
    this.lease.flush()
    this.tellLease()
    this.#around.agenda.after(this.#around.prng.between(rulesBackUs.least, rulesBackUs.most), () =>
      this.makeRules(),
    )
  }

  /** How long ago the last advert left that was no resignation. */
  get sinceAdvert(): number {
    return this.now() - this.#advertAt
  }

  noteAdvert(): void {
    this.#advertAt = this.now()
  }

  makeRules(): void {
    if (this.process === null || this.lease === null || this.lease.stands) return
    if (this.asleep) return this.#around.agenda.after(1_000_000, () => this.makeRules())
    this.lease.stands = true
    this.tellLease()
  }

  tellLease(): void {
    const { process } = this
    process?.onMain(() => {
      const { dispatcher } = process.main
      dispatcher.leases.changed(new Set(dispatcher.instances.map(({ name }) => name)))
    })
  }

  get name(): string {
    return `host${this.plan.number}`
  }

  get asleep(): boolean {
    return this.#asleep !== 'no'
  }

  now(): Us {
    return this.clock.read(this.#around.agenda.now)
  }

  start(): void {
    if (this.process?.stopping === true && !this.asleep) this.#end()
    if (this.process !== null || this.asleep) return
    const { statics } = this.#around.scenario
    const kept = statics === true && this.plan.file.statics
    this.kernel.sweepEntries((identity) => kept && identity.includes(staticNetwork))
    // Before any instance takes part.
    if (this.lease !== null) this.lease.stands = true
    this.process = new Process(this, this.#around)
  }

  /** In good order: priority 0, addresses away. The process lives on for what a shutdown_script takes. */
  stop(): void {
    const { process } = this
    if (this.asleep || process === null || process.stopping) return
    process.stopping = true
    process.main.dispatcher.stop()
    void process.main.dispatcher.removeStatics()
    this.#endLater(process, this.#around.prng.between(0, 2_000_000))
  }

  #endLater(process: Process, spanUs: number): void {
    this.#around.agenda.after(spanUs, () => {
      if (this.process !== process) return
      if (this.asleep) return this.#endLater(process, 100_000)
      process.engine.stop()
      this.#end()
    })
  }

  /** Killed. Its warden, if it has one, carries out the resign plans; else the addresses stay. */
  crash(): void {
    const { process } = this
    if (process === null) return
    this.#end()
    const next = (): boolean => this.process === null
    if (this.plan.warden && !this.asleep)
      this.#around.agenda.after(wardenLatencyUs, () => {
        if (next()) process.engine.resignAsWarden()
      })
  }

  /** Power lost and back: nothing is left of what was put into the kernel. */
  reboot(): void {
    this.#end()
    this.#preempted = false
    this.#asleep = 'no'
    this.kernel.reboot()
    this.lease?.flush()
  }

  reload(): void {
    const { process } = this
    process?.onMain(() => {
      const known = [...this.kernel.interfaces, ...process.main.dispatcher.knownInterfaces]
      const config = configOf(configText(this.#around.scenario, this.plan), [...new Set(known)])
      if (config === null) return this.#around.witness.reloaded(this, true)
      process.main.reload(config)
    })
  }

  /** An operator gives everything away, or ends that. */
  drain(drained: boolean): void {
    this.plan.drained = drained
    const { process } = this
    process?.onMain(() => {
      const { dispatcher } = process.main
      if (dispatcher.stopping) return
      if (drained) dispatcher.roster.drain()
      else dispatcher.roster.resume(null)
      dispatcher.settle()
    })
  }

  /** Another process takes over from the one that runs, between two events. */
  exchange(tries = 50): void {
    const { process } = this
    if (process === null || process.stopping || tries === 0) return
    process.onMain(() => {
      const state = process.isIdle ? process.main.dispatcher.state() : null
      if (state === null || !('version' in state)) {
        this.#around.agenda.after(10_000, () => {
          if (this.process === process && !this.asleep) this.exchange(tries - 1)
        })
        return
      }
      const passed = JSON.stringify(state)
      process.bfd.offer()
      this.#exchanges += 1
      if (this.#exchanges % 2 === 1) this.#tryInVain(process, state)
      const next = new Process(this, this.#around, { before: process, state: JSON.parse(passed) })
      const left = next.refused === null ? process : next
      left.alive = false
      left.engine.stop()
      if (left === next) {
        left.bfd.stop()
        return process.hearKernel()
      }
      this.process = next
      passSessions(this, process, next, this.#around)
      const again = JSON.stringify(next.main.dispatcher.state())
      this.#around.witness.exchanged(this, process, next, [passed, again])
    })
  }

  /**
   * Processes that were to go on, and do not: of the version before and of the one after, which refuse the state, and one
   * that is killed when it has adopted it. Nothing may come of any of them. They have their own chance, so that what
   * happens otherwise does not depend on them.
   */
  #tryInVain(before: Process, state: RouterState): void {
    const around = { ...this.#around, prng: new Prng(this.#exchanges) }
    for (const version of [stateVersion - 1, stateVersion, stateVersion + 1]) {
      const passed: unknown = JSON.parse(JSON.stringify({ ...state, version }))
      const next = new Process(this, around, { before, state: passed })
      if (version !== stateVersion && next.refused === null)
        around.witness.mistaken(this, `goes on with a state of version ${version}`)
      next.alive = false
      next.engine.stop()
      next.bfd.stop()
    }
    before.hearKernel()
  }

  /** `vipd upgrade`; null: there is no daemon that could. */
  upgrade(options: UpgradeOptions): Upgrade | null {
    const { process } = this
    if (process === null || process.stopping || this.asleep) return null
    return new Upgrade(this, process, this.#around, options)
  }

  /** A process beside the one that runs hears what that one hears. */
  alsoRuns(second: Process | null): void {
    this.#second = second
    const { process } = this
    if (second === null) return process?.hearKernel()
    this.kernel.listener = (bytes) => {
      process?.engine.kernelChanged(bytes)
      second.engine.kernelChanged(bytes)
    }
  }

  /** The slots are its own. */
  isNow(second: Process, first: Process): void {
    if (this.#second === second) this.#second = null
    if (this.process === first || this.process === null) this.process = second
  }

  /** One of two processes is killed, and its warden does what it may: whether it acted is told. */
  kill(process: Process, acted: (it: boolean) => void = () => undefined): void {
    process.end()
    if (process === this.process) this.#end()
    if (process === this.#second) this.#second = null
    const { agenda, prng } = this.#around
    if (!this.plan.warden) return
    agenda.after(prng.between(100, wardenLatencyUs), () => {
      const may = process.mayAct()
      if (may) process.engine.resignAsWarden()
      acted(may)
    })
  }

  /** One of two processes stands still, for so long; its warden does not. */
  freeze(process: Process, spanUs: number): void {
    const { agenda } = this.#around
    process.freeze()
    const promise = this.plan.warden ? process.engine.promise : null
    let preempted = false
    if (promise !== null)
      agenda.at(this.clock.when(promise), () => {
        if (!process.frozen || process.engine.promise !== promise || !process.alive) return
        preempted = process.mayAct()
        if (preempted) process.engine.resignAsWarden()
      })
    agenda.after(spanUs, () => process.thaw(preempted))
  }

  setCheck(good: boolean): void {
    this.good = good
    const { process } = this
    process?.onMain(() => process.main.verdict('chk', good))
  }

  /** `stopped`: the process; packets wait in its sockets. `machine`: a paused VM, which hears nothing. */
  sleep(how: 'stopped' | 'machine'): void {
    if (this.#asleep !== 'no') return
    this.#asleep = how
    this.#sleptFrom = this.now()
    const { process } = this
    process?.stall()
    const promise = how === 'stopped' && this.plan.warden ? process?.engine.promise : null
    if (promise != null)
      this.#around.agenda.at(this.clock.when(promise), () => this.#overtake(promise))
  }

  /** The warden, which is not asleep, finds the promise of this sleep broken. */
  #overtake(promise: Us): void {
    const { process } = this
    if (this.#asleep !== 'stopped' || process?.engine.promise !== promise) return
    process.engine.resignAsWarden()
    this.#preempted = true
  }

  wakeUp(): void {
    if (!this.asleep) return
    if (this.#preempted) this.process?.engine.preemptedByWarden()
    this.#preempted = false
    this.#asleep = 'no'
    this.#around.witness.slept(this, this.now() - this.#sleptFrom)
    this.process?.resume()
  }

  /** The main thread alone hangs. */
  stall(): void {
    this.process?.stall()
  }

  unstall(): void {
    if (!this.asleep) this.process?.unstall()
  }

  #end(): void {
    if (this.process === null) return
    this.process.alive = false
    this.process.bfd.abandonBefore()
    this.process = null
    this.plan.drained = false
    this.diedAt = this.#around.agenda.now
    this.kernel.listener = null
  }

  #receive(packet: Packet): void {
    if (!this.kernel.up || this.#asleep === 'machine') return
    this.process?.receive(packet)
    this.#second?.receive(packet)
  }

  #frame(bytes: Uint8Array): void {
    if (!this.kernel.up) return
    const answer = answerOf(bytes, {
      mac: this.kernel.mac,
      holds: (address) => this.kernel.holds(address),
    })
    if (answer !== null) this.emit(answer)
    this.#tell(bytes, 'received')
  }

  /** Its kernel, or its engine, sends a frame. */
  emit(bytes: Uint8Array): void {
    this.#tell(bytes, 'sent')
    this.#around.lan.frame(this.port, bytes)
  }

  #tell(bytes: Uint8Array, as: FrameWatchSpec['direction']): void {
    if (this.process !== null && this.#asleep !== 'machine') this.process.hearFrame(bytes, as)
  }

  #bfd(packet: Packet): void {
    if (this.process === null || !this.kernel.up || this.#asleep === 'machine') return
    if (this.kernel.holds(packet.to)) this.process.receiveBfd({ packet, at: this.now() })
  }
}
