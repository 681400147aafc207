/**
 * One daemon process of a host: the engine's thread, which acts at once, BFD's, and the main thread, which acts after a
 * moment, or, when it is stalled, not until it turns again.
 */
import { type Us, us } from '../../src/base/time.ts'
import type { Instance } from '../../src/config/types.ts'
import { Gate, throughGate } from '../../src/daemon/gate.ts'
import type { LinkSpec } from '../../src/engine/contract.ts'
import { mayAct } from '../../src/engine/core-harness.ts'
import type { FrameWatchSpec } from '../../src/engine/frames-contract.ts'
import type { SlotId, Step } from '../../src/engine/order.ts'
import type { LeaseFacts } from '../../src/engine/plans-lease.ts'
import type { ExchangeHandle } from '../../src/engine/succession-contract.ts'
import { leaseId } from '../../src/kernel/lease-rules.ts'
import { leaseLengthUs, leastOf } from '../../src/router/binding/kernel-lease.ts'
import type { Arrived, SimBfd } from './bfd.ts'
import { BfdThread } from './bfd-thread.ts'
import { configOf, configText } from './configuration.ts'
import { depart } from './departures.ts'
import { SimEngine } from './engine.ts'
import { SimFrames } from './frames.ts'
import type { Host } from './host.ts'
import { type Packet, queuedMax } from './lan.ts'
import { betweenThreadsUs, mainLatencyUs } from './latency.ts'
import { MainThread } from './main-thread.ts'
import { MainTurns } from './main-turns.ts'
import { Prng } from './prng.ts'
import { Timer } from './timer.ts'
import { logInto, notifyInto } from './trace-log.ts'
import type { Surroundings } from './witness.ts'

/** 2026; and how far each host's wall clock is from the next one's. */
const epochUs = 1_795_000_000_000_000
const clockErrorUs = 300_000

/** Of a process before: its state, and nothing else is left of it; or what both share while it still runs. */
type Passed = { readonly before: Process } & (
  | { readonly state: unknown }
  | { readonly exchange: ExchangeHandle }
)

export class Process {
  readonly engine: SimEngine
  readonly frames: SimFrames
  readonly main: MainThread
  /** Shut while a state is passed: what comes waits. */
  readonly gate = new Gate()
  readonly startedAt: number
  /** How often addresses had been set in the kernel by then. */
  readonly settingsBefore: number
  /** With the process that is to take the place of this one, or whose place it takes: whose warden may act. */
  exchange: { readonly handle: ExchangeHandle; readonly second: boolean } | null = null
  /** It alone stands still (SIGSTOP); a host that sleeps stands still whole. */
  frozen = false
  alive = true
  stopping = false
  /** Why it cannot go on where another process is; null: it does, or began by itself. */
  refused: string | null = null
  readonly #host: Host
  readonly #around: Surroundings
  readonly #wake: Timer
  readonly #alarm: Timer
  readonly #bfdThread: BfdThread
  readonly #turns: MainTurns
  #delivering = false
  #queue: Packet[] = []
  /** What came while another process had the slots. */
  #kept: { readonly packet: Packet; readonly at: Us }[] = []
  #frameQueue: (readonly [Uint8Array, FrameWatchSpec['direction']])[] = []
  readonly #framesPrng: Prng
  #framesWait = false
  #adopting = false
  #workedMs = 0

  constructor(host: Host, around: Surroundings, passed: Passed | null = null) {
    this.#host = host
    this.#around = around
    const { agenda, scenario } = around
    this.startedAt = passed?.before.startedAt ?? agenda.now
    this.settingsBefore = passed?.before.settingsBefore ?? host.kernel.settings
    const known = [...new Set([...host.kernel.interfaces, 'eth0'])]
    const config = configOf(configText(scenario, host.plan), known)
    if (config === null) throw new Error('a host cannot start with its file')
    this.#turns = new MainTurns(agenda, around.prng, {
      now: () => host.now(),
      alive: () => this.alive,
      run: (task) => this.gate.run(task),
      rested: () => {
        if (!this.engine.pending) around.witness.caughtUp(host)
      },
    })
    this.#wake = new Timer(agenda, () => this.#onWake())
    this.#alarm = new Timer(agenda, () => this.onMain(() => this.main.dispatcher.tick()))
    this.engine = new SimEngine(
      config.globals.livenessUs,
      {
        now: () => host.now(),
        wall: () => this.wall(),
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
        standing: (slot, leading) => around.witness.standing(host, slot, leading, this.#adopting),
        renewedAt: () => this.#turns.renewedAt(this.main.dispatcher.config.globals.livenessUs),
        gave: () => {
          around.witness.gave(host)
          this.onGave()
        },
        over: (why) => this.onOver(why),
      },
      passed !== null && 'exchange' in passed ? passed.exchange : null,
    )
    this.#bfdThread = new BfdThread(host, around, {
      alive: () => this.alive,
      onMain: (task) => this.onMain(task),
      deliver: (events) => this.main.dispatcher.onBfd(events),
      loseMaster: (master, slots) => this.engine.loseMaster(master, slots),
    })
    if (passed !== null) this.bfd.follow(passed.before.bfd)
    this.frames = new SimFrames({
      now: () => host.now(),
      raised: () => this.#takeFrames(),
    })
    this.#framesPrng = new Prng((scenario.seed << 4) ^ host.plan.number)
    const log = (text: string) => around.witness.said(host, text)
    this.main = new MainThread(config, {
      engine: this.engine,
      bfd: this.bfd,
      frames: this.frames,
      discriminator: () => around.prng.between(1, 0xffff_ffff),
      log: logInto(log),
      notifier: throughGate(notifyInto(log), this.gate),
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
    if (passed !== null && 'exchange' in passed) this.#succeed(passed.exchange)
    else this.#begin(passed?.state)
  }

  /** `state`: of a process before; undefined: there was none. */
  #begin(state: unknown): void {
    this.hearKernel()
    if (state === undefined) this.onMain(() => this.main.start())
    else this.#adopt(state)
  }

  /** Set by an upgrade that is under way. */
  onGave: () => void = () => undefined
  onOver: (why: string) => void = () => undefined

  #succeed(handle: ExchangeHandle): void {
    this.exchange = { handle, second: true }
    this.gate.shut()
    this.main.prepare()
  }

  /** Beside another process, which has the slots: a sentence that says why it cannot go on. */
  adoptHeld(state: unknown): string | null {
    const why = this.main.dispatcher.adopt(state)
    const [altering] = this.engine.takeAltering()
    return why ?? (altering === undefined ? null : `it would ${altering.order.kind}`)
  }

  /** The slots are its own. */
  took(handled: Us): void {
    this.#kept = this.#kept.filter(({ at }) => at >= handled)
    for (const { packet } of this.#kept.splice(0)) this.#around.witness.heard(this.#host, packet)
    this.hearKernel()
    this.engine.wake()
    this.onMain(() => undefined)
  }

  /** The main thread knows it too. */
  goOn(): void {
    this.gate.open()
    this.main.runChecks()
    this.#deliver(true)
  }

  /** The engine's thread looks what has become of what it gave; what waits in its sockets is read if that is its own again. */
  look(): void {
    if (!this.alive || this.#asleep || !this.engine.given) return
    if (this.engine.look() || this.engine.given) return
    this.#take(this.#queue.splice(0))
  }

  end(): void {
    this.alive = false
    this.engine.stop()
    this.bfd.stop()
  }

  freeze(): void {
    this.frozen = true
    this.stall()
  }

  /** `preempted`: its warden has acted meanwhile. */
  thaw(preempted: boolean): void {
    this.frozen = false
    if (!this.alive || this.#asleep) return
    if (this.engine.given) this.look()
    if (preempted) this.engine.preemptedByWarden()
    if (!this.engine.held && !this.engine.given) return this.resume()
    if (this.engine.held) for (const packet of this.#queue.splice(0)) this.receive(packet)
    this.#around.agenda.after(this.#turns.latency(), () => {
      if (this.alive && !this.#asleep) this.unstall()
    })
  }

  /** Its warden may give up what it leads. */
  mayAct(): boolean {
    return this.exchange === null || mayAct(this.exchange.handle, this.exchange.second)
  }

  get #asleep(): boolean {
    return this.#host.asleep || this.frozen
  }

  #leaseOf(cfg: Instance, ifindex: number): LeaseFacts | null {
    const tickUs = us(this.#around.scenario.lease?.tickUs ?? 1)
    if (this.#host.lease?.stands !== true) return null
    return { id: leaseId(cfg.name), ifindex, leastUs: leastOf(leaseLengthUs(cfg, tickUs), tickUs) }
  }

  get bfd(): SimBfd {
    return this.#bfdThread.bfd
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

  /** What its clock says, µs since 1970. */
  wall(): Us {
    const { agenda } = this.#around
    return us(epochUs + Math.floor(agenda.now) + this.#host.plan.number * clockErrorUs)
  }

  /** Nothing waits for the main thread but what it does just now. */
  get isIdle(): boolean {
    const { engine, main } = this
    const waits = engine.pending || main.changing || this.bfd.held
    return !waits && this.#turns.waiting === 0
  }

  get stalled(): boolean {
    return this.#turns.stalled
  }

  /** How long the main thread has hung. */
  get stalledUs(): number {
    return this.#turns.stalledUs
  }

  /** The main thread has something to work off. */
  get busy(): boolean {
    return this.#turns.busy
  }

  receive(packet: Packet): void {
    if (this.engine.held && !this.#asleep) return this.#keep(packet)
    if (this.#asleep || this.engine.given) {
      if (this.#queue.length < queuedMax) this.#queue.push(packet)
      return
    }
    this.#take([packet])
  }

  /** Its thread reads it a little later than that of the process which has the slots. */
  #keep(packet: Packet): void {
    const { agenda, prng } = this.#around
    agenda.after(prng.between(0, betweenThreadsUs), () => {
      if (!this.alive) return
      if (this.#asleep || !this.engine.held) return this.receive(packet)
      this.#kept.push({ packet, at: this.#host.now() })
      this.engine.receive([packet])
    })
  }

  receiveBfd(arrived: Arrived): void {
    this.#bfdThread.receive(arrived)
  }

  hearFrame(bytes: Uint8Array, as: FrameWatchSpec['direction']): void {
    if (!this.#host.asleep) this.frames.hear(bytes, as)
    else if (this.#frameQueue.length < queuedMax) this.#frameQueue.push([bytes, as])
  }

  /**
   * The main thread takes them in a turn of their own, with a chance of their own: what else happens does not depend on
   * whether frames are heard, but for what comes of them.
   */
  #takeFrames(): void {
    const { least, most } = mainLatencyUs
    this.#around.agenda.after(this.#framesPrng.between(least, most), () => {
      if (!this.alive) return
      this.#framesWait = this.stalled
      if (!this.stalled) this.main.dispatcher.onFrames(this.frames.take())
    })
  }

  /** Something for the main thread to do, in its turn. */
  onMain(task: () => void): void {
    this.#turns.add(task)
  }

  stall(): void {
    this.#turns.stall()
  }

  /** The main thread turns again. */
  unstall(): void {
    if (!this.#turns.unstall()) return
    this.engine.wake()
    this.#turns.turn()
    if (this.#framesWait) this.#takeFrames()
  }

  /** After a sleep: the engine's thread is awake before the main thread. */
  resume(): void {
    const waiting = this.#queue
    this.#queue = []
    const { prng, scenario } = this.#around
    const bfdFirst = scenario.bfd !== undefined && prng.chance(0.5)
    if (bfdFirst) this.#bfdThread.resume()
    this.#take(waiting)
    if (!bfdFirst) this.#bfdThread.resume()
    const frames = this.#frameQueue
    this.#frameQueue = []
    for (const [bytes, as] of frames) this.frames.hear(bytes, as)
    this.#around.agenda.after(this.#turns.latency(), () => {
      if (this.alive && !this.#asleep) this.unstall()
    })
  }

  #take(packets: readonly Packet[]): void {
    for (const packet of packets) this.#around.witness.heard(this.#host, packet)
    this.engine.receive(packets)
    if (!this.engine.pending) this.#around.witness.caughtUp(this.#host)
  }

  #onWake(): void {
    // A host that sleeps is woken by `resume`.
    if (!this.alive || this.#asleep) return
    if (this.engine.given) this.look()
    else this.engine.wake()
  }

  #deliver(forged = false): void {
    if (!forged && !this.engine.held) this.#around.witness.raised(this.#host)
    if (this.#delivering) return
    this.#delivering = true
    this.onMain(() => {
      this.#delivering = false
      this.engine.deliver((events) => this.main.dispatcher.onEngine(events))
    })
  }

  #carryOut(slot: SlotId, step: Step, spec: LinkSpec | null): void {
    if (this.#adopting && step.kind !== 'datagram')
      this.#around.witness.mistaken(
        this.#host,
        `a ${step.kind} step while it takes over from another process`,
      )
    depart(this.#host, this, this.#around, slot, step, spec)
  }
}
