/**
 * One host: a clock, a kernel, a place on the LAN, and at most one daemon process with two threads. The engine's
 * thread acts at once; the main thread after a moment, or, when it is stalled, not until it turns again. What
 * can happen to a host is done here; when it happens is the business of faults.ts.
 */

import type { Ip } from '../../src/base/ip.ts'
import type { Log } from '../../src/base/log.ts'
import { type Us, us } from '../../src/base/time.ts'
import type { Instance } from '../../src/config/types.ts'
import type { LinkSpec, SlotId, Step } from '../../src/engine/contract.ts'
import type { LeaseFacts } from '../../src/engine/plans-lease.ts'
import { leaseId } from '../../src/kernel/lease-rules.ts'
import type { Notifier } from '../../src/notify/notify.ts'
import { leaseLengthUs, leastOf } from '../../src/router/binding/kernel-lease.ts'
import { type RouterState, stateVersion } from '../../src/router/dispatch/router-state.ts'
import type { Agenda } from './agenda.ts'
import { type Arrived, SimBfd } from './bfd.ts'
import { Clock } from './clock.ts'
import { configOf, configText } from './configuration.ts'
import { SimEngine } from './engine.ts'
import { answerOf, SimFrames } from './frames.ts'
import { secondSourceOf, staticNetwork } from './host-file.ts'
import { SimKernel } from './kernel.ts'
import { SimLease } from './kernel-lease.ts'
import type { Lan, Packet } from './lan.ts'
import { MainThread } from './main-thread.ts'
import { Prng } from './prng.ts'
import { type HostPlan, type Scenario, vipsOf } from './scenario.ts'
import { Timer } from './timer.ts'

/** What the invariants are told of a host. */
export type Witness = {
  sent(host: Host, slot: SlotId, bytes: Uint8Array): void
  heard(host: Host, packet: Packet): void
  bfdSent(host: Host, packet: Packet): void
  /** `at`: when it arrived. */
  bfdHeard(host: Host, packet: Packet, at: Us): void
  /** The main thread has acknowledged everything that was heard. */
  caughtUp(host: Host): void
  standing(host: Host, slot: SlotId, leading: boolean): void
  woken(host: Host, effects: ReadonlyMap<SlotId, number>): void
  /** The host is about to wake up after so many µs of its own. */
  slept(host: Host, spanUs: number): void
  /** Something waits for the main thread. */
  raised(host: Host): void
  said(host: Host, text: string): void
  /** A reload has been applied, or was refused. */
  reloaded(host: Host, refused: boolean): void
  /** `after` goes on where `before` ended; what it took over, and what it would pass on itself. */
  exchanged(host: Host, before: Process, after: Process, passed: readonly [string, string]): void
  /** Something was ordered that must not be. */
  mistaken(host: Host, what: string): void
}

export type Surroundings = {
  readonly scenario: Scenario
  readonly agenda: Agenda
  readonly prng: Prng
  readonly lan: Lan
  readonly witness: Witness
}

/** How soon the main thread takes up what the engine raised. */
const mainLatencyUs = { least: 30, most: 1_500 }
/** What the main thread may need to answer: it works in turns, and one answer may provoke another. */
/** 2026; and how far each host's wall clock is from the next one's. */
const epochUs = 1_795_000_000_000_000
const clockErrorUs = 300_000
export const answerUs = 4 * mainLatencyUs.most
/** From BFD's thread to the engine's, at most. */
const betweenThreadsUs = 60
/** From a daemon's death to its warden's first packet. */
const wardenLatencyUs = 500
/** The socket's receive buffer, in adverts. */
const queuedMax = 300

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
    return new SimLease(instances, times, () => this.now())
  }

  /** Another program flushes the rules of the host; a daemon that runs hears of it, and soon makes its own again. */
  flushRules(): void {
    if (this.lease === null) return
    this.lease.flush()
    this.tellLease()
    this.#around.agenda.after(this.#around.prng.between(20_000, 200_000), () => this.makeRules())
  }

  /** How long ago the last advert left that was no resignation. */
  get sinceAdvert(): number {
    return this.now() - this.#advertAt
  }

  noteAdvert(): void {
    this.#advertAt = this.now()
  }

  makeRules(): void {
    if (this.process === null || this.asleep || this.lease === null || this.lease.stands) return
    this.lease.stands = true
    this.tellLease()
  }

  tellLease(): void {
    const { process } = this
    process?.onMain(() => {
      const { dispatcher } = process.main
      dispatcher.onLease(new Set(dispatcher.instances.map(({ name }) => name)))
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
      this.#exchanges += 1
      if (this.#exchanges % 2 === 1) this.#tryInVain(process, state)
      const next = new Process(this, this.#around, { before: process, state: JSON.parse(passed) })
      const left = next.refused === null ? process : next
      left.alive = false
      left.engine.stop()
      left.bfd.stop()
      if (left === next) return process.hearKernel()
      this.process = next
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
    this.process = null
    this.plan.drained = false
    this.diedAt = this.#around.agenda.now
    this.kernel.listener = null
  }

  #receive(packet: Packet): void {
    if (this.process === null || !this.kernel.up || this.#asleep === 'machine') return
    this.process.receive(packet)
  }

  #frame(bytes: Uint8Array): void {
    if (this.#around.scenario.claims === undefined || !this.kernel.up) return
    const answer = answerOf(bytes, {
      mac: this.kernel.mac,
      holds: (address) => this.kernel.holds(address),
    })
    if (answer !== null) this.#around.lan.frame(this.port, answer)
    if (this.process !== null && !this.asleep) this.process.frames.receive(bytes)
  }

  #bfd(packet: Packet): void {
    if (this.process === null || !this.kernel.up || this.#asleep === 'machine') return
    if (this.kernel.holds(packet.to)) this.process.receiveBfd({ packet, at: this.now() })
  }
}

export class Process {
  readonly engine: SimEngine
  readonly bfd: SimBfd
  readonly frames: SimFrames
  readonly main: MainThread
  readonly startedAt: number
  alive = true
  stopping = false
  /** Why it cannot go on where another process is; null: it does, or began by itself. */
  refused: string | null = null
  readonly #host: Host
  readonly #around: Surroundings
  readonly #wake: Timer
  readonly #alarm: Timer
  readonly #bfdWake: Timer
  #tasks: (() => void)[] = []
  #turning = false
  #delivering = false
  #lostAsleep: (() => void)[] = []
  #stalledAt: Us | null = null
  #turnsFrom = 0
  #queue: Packet[] = []
  #bfdQueue: Arrived[] = []
  /** Tasks of this turn that are still to be done. */
  #behind = 0
  #adopting = false
  #workedMs = 0

  constructor(
    host: Host,
    around: Surroundings,
    passed: { readonly before: Process; readonly state: unknown } | null = null,
  ) {
    this.#host = host
    this.#around = around
    const { agenda, scenario } = around
    this.startedAt = passed?.before.startedAt ?? agenda.now
    const known = [...new Set([...host.kernel.interfaces, 'eth0'])]
    const config = configOf(configText(scenario, host.plan), known)
    if (config === null) throw new Error('a host cannot start with its file')
    this.#wake = new Timer(agenda, () => this.#onWake())
    this.#alarm = new Timer(agenda, () => this.onMain(() => this.main.dispatcher.tick()))
    this.engine = new SimEngine(config.globals.livenessUs, {
      now: () => host.now(),
      wall: () => us(epochUs + Math.floor(agenda.now) + host.plan.number * clockErrorUs),
      carryOut: (slot, step, spec) => this.#carryOut(slot, step, spec),
      request: (bytes) => host.kernel.request(bytes),
      linkUp: () => host.kernel.up,
      opens: () => host.opens,
      woken: (effects) => around.witness.woken(host, effects),
      wakeAt: (local) => this.#wake.set(local === null ? null : host.clock.when(local)),
      raised: (forged) => this.#deliver(forged),
      ordered: (kind) => {
        if (this.stopping && (kind === 'lead' || kind === 'follow'))
          around.witness.mistaken(host, `orders a slot to ${kind} after it has begun to stop`)
      },
      standing: (slot, leading) => around.witness.standing(host, slot, leading),
      renewedAt: () => this.#renewedAt(),
    })
    this.#bfdWake = new Timer(agenda, () => this.#onBfdWake())
    this.bfd = this.#makeBfd()
    this.frames = new SimFrames({
      now: () => host.now(),
      raised: () => this.onMain(() => this.main.dispatcher.onFrames(this.frames.take())),
    })
    const log = (text: string) => around.witness.said(host, text)
    this.main = new MainThread(config, {
      engine: this.engine,
      bfd: this.bfd,
      frames: this.frames,
      discriminator: () => around.prng.between(1, 0xffff_ffff),
      log: logInto(log),
      notifier: notifyInto(log),
      later: (task) => this.onMain(task),
      check: (name) => this.#check(name),
      applied: () => around.witness.reloaded(host, false),
      workedMs: () => {
        const drawn = around.scenario.profile === 'changes' ? around.prng.between(0, 8) : 0
        this.#workedMs += around.scenario.unitMs ?? drawn
        return this.#workedMs
      },
      alarm: (at) => this.#alarm.set(at === null ? null : host.clock.when(at)),
      leaseOf: (cfg, { ifindex }) => this.#leaseOf(cfg, ifindex),
    })
    this.hearKernel()
    if (passed === null) this.onMain(() => this.main.start())
    else this.#adopt(passed.state)
  }

  #leaseOf(cfg: Instance, ifindex: number): LeaseFacts | null {
    const tickUs = us(this.#around.scenario.lease?.tickUs ?? 1)
    if (this.#host.lease?.stands !== true) return null
    return { id: leaseId(cfg.name), ifindex, leastUs: leastOf(leaseLengthUs(cfg, tickUs), tickUs) }
  }

  hearKernel(): void {
    this.#host.kernel.listener = (bytes) => this.engine.kernelChanged(bytes)
  }

  #adopt(state: unknown): void {
    this.#adopting = true
    this.refused = this.main.adopt(state)
    this.#adopting = false
    this.engine.adopted()
  }

  /** Its first result. The second script succeeds always. */
  #check(name: string): void {
    const { agenda, prng } = this.#around
    agenda.after(prng.between(50_000, 900_000), () =>
      this.onMain(() => this.main.verdict(name, name === 'chk2' || this.#host.good)),
    )
  }

  /** Nothing waits for the main thread but what it does just now. */
  get isIdle(): boolean {
    const { engine, main } = this
    return !engine.pending && !main.changing && this.#behind + this.#tasks.length === 0
  }

  get stalled(): boolean {
    return this.#stalledAt !== null
  }

  /** How long the main thread has hung. */
  get stalledUs(): number {
    return this.#stalledAt === null ? 0 : this.#host.now() - this.#stalledAt
  }

  /** The main thread has something to work off. */
  get busy(): boolean {
    return this.stalled || this.#turning
  }

  receive(packet: Packet): void {
    if (this.#host.asleep) {
      if (this.#queue.length < queuedMax) this.#queue.push(packet)
      return
    }
    this.#take([packet])
  }

  receiveBfd(arrived: Arrived): void {
    this.#around.witness.bfdHeard(this.#host, arrived.packet, arrived.at)
    if (!this.#host.asleep) return this.bfd.receive([arrived])
    if (this.#bfdQueue.length < queuedMax) this.#bfdQueue.push(arrived)
  }

  #makeBfd(): SimBfd {
    const host = this.#host
    const { agenda, lan, prng, scenario, witness } = this.#around
    return new SimBfd(scenario.bfd === undefined ? 0 : prng.between(1, 1_000_000), {
      now: () => host.now(),
      opens: () => host.opens,
      holds: (address) => host.kernel.holds(address),
      send: (packet) => {
        witness.bfdSent(host, packet)
        if (host.kernel.up) lan.bfd(host.port, packet)
      },
      wakeAt: (local) => this.#bfdWake.set(local === null ? null : host.clock.when(local)),
      raised: () => {
        witness.raised(host)
        this.onMain(() => this.bfd.deliver((events) => this.main.dispatcher.onBfd(events)))
      },
      lost: (master, slots) =>
        agenda.after(prng.between(2, betweenThreadsUs), () => this.#lost(master, slots)),
    })
  }

  /** Tells the engine's thread, as soon as that one runs. */
  #lost(master: Ip, slots: readonly SlotId[]): void {
    if (!this.alive) return
    if (this.#host.asleep) this.#lostAsleep.push(() => this.#lost(master, slots))
    else this.engine.loseMaster(master, slots)
  }

  #onBfdWake(): void {
    if (this.alive && !this.#host.asleep) this.bfd.wake()
  }

  /** Something for the main thread to do, in its turn. */
  onMain(task: () => void): void {
    this.#tasks.push(task)
    this.#turn()
  }

  stall(): void {
    this.#stalledAt ??= this.#host.now()
  }

  /** The main thread turns again. */
  unstall(): void {
    if (this.#stalledAt === null) return
    this.#stalledAt = null
    this.#turnsFrom = this.#host.now()
    this.engine.wake()
    this.#turn()
  }

  /** After a sleep: the engine's thread is awake before the main thread. */
  resume(): void {
    const waiting = this.#queue
    this.#queue = []
    const { prng, scenario } = this.#around
    const bfdFirst = scenario.bfd !== undefined && prng.chance(0.5)
    if (bfdFirst) this.#resumeBfd()
    this.#take(waiting)
    if (!bfdFirst) this.#resumeBfd()
    this.#around.agenda.after(this.#latency(), () => {
      if (this.alive && !this.#host.asleep) this.unstall()
    })
  }

  #resumeBfd(): void {
    const arrived = this.#bfdQueue
    this.#bfdQueue = []
    const lost = this.#lostAsleep
    this.#lostAsleep = []
    this.bfd.receive(arrived)
    for (const tell of lost) tell()
  }

  #take(packets: readonly Packet[]): void {
    for (const packet of packets) this.#around.witness.heard(this.#host, packet)
    this.engine.receive(packets)
    if (!this.engine.pending) this.#around.witness.caughtUp(this.#host)
  }

  #onWake(): void {
    // A host that sleeps is woken by `resume`.
    if (this.alive && !this.#host.asleep) this.engine.wake()
  }

  #turn(): void {
    if (this.#turning || this.stalled || this.#tasks.length === 0) return
    this.#turning = true
    this.#around.agenda.after(this.#latency(), () => this.#work())
  }

  #work(): void {
    this.#turning = false
    if (!this.alive || this.stalled) return
    const tasks = this.#tasks
    this.#tasks = []
    for (const [i, task] of tasks.entries()) {
      this.#behind = tasks.length - i - 1
      if (this.alive) task()
    }
    if (!this.alive) return
    if (!this.engine.pending && this.#tasks.length === 0) this.#around.witness.caughtUp(this.#host)
    this.#turn()
  }

  #deliver(forged = false): void {
    if (!forged) this.#around.witness.raised(this.#host)
    if (this.#delivering) return
    this.#delivering = true
    this.onMain(() => {
      this.#delivering = false
      this.engine.deliver((events) => this.main.dispatcher.onEngine(events))
    })
  }

  #latency(): number {
    return this.#around.prng.between(mainLatencyUs.least, mainLatencyUs.most)
  }

  /** The lease is renewed four times within its span, as long as the main thread turns. */
  #renewedAt(): Us {
    const now = this.#stalledAt ?? this.#host.now()
    const { livenessUs } = this.main.dispatcher.config.globals
    const quarter = Math.max(Math.floor(livenessUs / 4), 1)
    return Math.max(now - (now % quarter), this.#turnsFrom) as Us
  }

  #carryOut(slot: SlotId, step: Step, spec: LinkSpec | null): void {
    const { lan, witness } = this.#around
    const host = this.#host
    if (this.#adopting && step.kind !== 'datagram')
      witness.mistaken(host, `a ${step.kind} step while it takes over from another process`)
    if (step.kind === 'netlink') return host.kernel.carryOut(step.bytes)
    const fate = host.lease?.leaving(step) ?? 'out'
    if (fate === 'taken') return
    if (step.kind === 'datagram') witness.sent(host, slot, step.bytes)
    if (!host.kernel.up || fate === 'dropped') return
    if (step.kind === 'frame') return lan.frame(host.port, step.bytes)
    if (spec === null) return
    const { to, bytes } = step
    if (bytes[2] !== 0) host.noteAdvert()
    lan.send(host.port, { from: spec.source, to, ttl: spec.ttl ?? 64, bytes, valid: true })
  }
}

function logInto(say: (text: string) => void): Log {
  return { debug: say, info: say, warn: say, error: say, flush: () => Promise.resolve() }
}

function notifyInto(say: (text: string) => void): Notifier {
  return {
    instance: ({ name, state }) => say(`notify ${name} ${state}`),
    group: ({ name, state }) => say(`notify group ${name} ${state}`),
    repeat: () => undefined,
    reconfigure: () => undefined,
    stop: () => Promise.resolve(),
  }
}
