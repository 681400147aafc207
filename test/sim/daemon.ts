/**
 * The daemon as `src/daemon/daemon.ts` joins it, with the same parts and the same order of work at the end of every
 * batch; what is not there is what lives outside virtual time: worker threads, timers, the control socket.
 */
import { unreachable } from '../../src/base/assert.ts'
import type { Log } from '../../src/base/log.ts'
import type { Us } from '../../src/base/time.ts'
import type { CheckStatus } from '../../src/checks/verdict/types.ts'
import { checkReport } from '../../src/config/explain/check.ts'
import type { Config } from '../../src/config/types.ts'
import type { EngineEvent } from '../../src/engine/contract.ts'
import { Kernel, type KernelChange } from '../../src/kernel/mirror.ts'
import { KernelReader } from '../../src/kernel/reader.ts'
import type { Notifier } from '../../src/notify/notify.ts'
import { Links } from '../../src/router/binding/sockets.ts'
import type { RunningInstance } from '../../src/router/dispatch/instance.ts'
import { Roster } from '../../src/router/dispatch/roster.ts'
import { OrderQueue } from '../../src/router/orders.ts'
import { applyAtOnce } from '../../src/router/reload/apply.ts'
import { planReload } from '../../src/router/reload/plan.ts'
import { fakeWorld } from '../unit/config/fake-world.ts'
import type { SimEngine } from './engine.ts'

export type DaemonPorts = {
  readonly engine: SimEngine
  readonly log: Log
  readonly notifier: Notifier
  /** Rings once at this local instant; null silences. */
  alarm(at: Us | null): void
}

/** Text to configuration, as start and reload read it. Throws when it would not run. */
export function configOf(text: string): Config {
  const programs = { '/usr/bin/true': { text: '', mode: 0o755 } }
  const world = fakeWorld({ files: { '/c.conf': text, ...programs }, interfaces: ['lo', 'eth0'] })
  const report = checkReport('/c.conf', world, { configId: null, includeAll: false })
  if (report.config === null || report.exit === 2 || report.exit === 4)
    throw new Error(`the simulator wrote a bad configuration: ${report.text}\n${text}`)
  return report.config
}

export class SimDaemon {
  readonly #ports: DaemonPorts
  readonly #kernel = new Kernel()
  readonly #mirror: KernelReader
  readonly #orders: OrderQueue
  readonly #roster: Roster
  readonly #verdicts = new Map<string, boolean>()
  #holding: ReadonlySet<string>
  #config: Config

  constructor(config: Config, ports: DaemonPorts) {
    const { engine, log, notifier } = ports
    this.#ports = ports
    this.#config = config
    this.#holding = new Set(config.scripts.map((s) => s.name))
    this.#mirror = new KernelReader({
      kernel: this.#kernel,
      engine,
      log,
      onChanges: (changes) => {
        this.#onKernel(changes)
        this.#settle()
      },
    })
    this.#orders = new OrderQueue(engine)
    const links = new Links(engine)
    const orders = this.#orders
    const kernel = this.#kernel
    this.#roster = new Roster(
      {
        engine,
        kernel,
        links,
        orders,
        notifier,
        log,
        claim: () => true,
        wallMs: () => engine.now() / 1_000,
      },
      {
        check: (name) => this.#check(name),
        holds: (name) => this.#holding.has(name),
        kernel: this.#kernel,
      },
    )
  }

  get instances(): readonly RunningInstance[] {
    return this.#roster.instances
  }

  start(): void {
    this.#mirror.read()
    this.#adopt(this.#config)
  }

  reload(config: Config): void {
    this.#adopt(config)
    this.#config = config
    const known = new Set(config.scripts.map((s) => s.name))
    this.#holding = new Set([...this.#holding].filter((name) => known.has(name)))
  }

  #adopt(next: Config): void {
    const facts = { running: this.#roster.facts(), started: this.#config.globals }
    const plan = planReload(this.#config, next, facts)
    if (!plan.ok) throw new Error(plan.refusals.map(({ message }) => message).join('; '))
    const none = () => undefined
    applyAtOnce(plan, {
      roster: this.#roster,
      settings: none,
      checks: none,
      settle: () => this.#settle(),
      nowMs: () => 0,
      stopping: () => false,
    })
  }

  stop(): void {
    this.#ports.alarm(null)
    for (const instance of this.#roster.instances) instance.stop()
    this.#settle()
    this.#ports.engine.stop()
  }

  verdict(name: string, good: boolean): void {
    this.#verdicts.set(name, good)
    this.#roster.assessTracking(name)
    this.#settle()
  }

  onEngine(events: readonly EngineEvent[]): void {
    const changes = events.flatMap((event) => this.#onEngineEvent(event))
    this.#onKernel(changes)
    this.#settle()
  }

  tick(): void {
    const now = this.#ports.engine.now()
    for (const instance of this.#roster.instances) instance.tick(now)
    this.#settle()
  }

  #onEngineEvent(event: EngineEvent): readonly KernelChange[] {
    switch (event.kind) {
      case 'packet':
        this.#roster.bySlot(event.slot)?.receive(event)
        return []
      case 'kernel':
        return this.#mirror.heard(event.bytes)
      case 'overrun':
        this.#mirror.read()
        return []
      // Only instances of the simulation send.
      case 'stranger':
        return []
      case 'linkFailed':
      case 'wardenLost':
      case 'realtimeLost':
        throw new Error(`the simulator has no ${event.kind}`)
      case 'expired':
      case 'failed':
      case 'late':
      case 'lapsed':
        this.#roster.bySlot(event.slot)?.engineEvent(event)
        return []
      default:
        return unreachable(event)
    }
  }

  #onKernel(changes: readonly KernelChange[]): void {
    const links = new Set(changes.flatMap((c) => (c.kind === 'link' ? [c.name] : [])))
    for (const name of links) this.#roster.linkChanged(name)
    for (const change of changes) if (change.kind === 'address') this.#onAddress(change)
  }

  #onAddress({ held, present, foreign }: KernelChange & { kind: 'address' }): void {
    if (!this.#roster.isVirtual(held.address)) {
      const link = this.#kernel.linkByIndex(held.ifindex)
      if (link !== null) this.#roster.sourceChanged(link.name, held.address)
      return
    }
    if (foreign) return this.#roster.foreignChanged(held.address)
    if (present || this.#kernel.hasAgain(held)) return
    for (const instance of this.#roster.instances) instance.addressVanished(held)
  }

  #check(name: string): CheckStatus | null {
    const good = this.#verdicts.get(name) ?? null
    const none = { last: null, runs: 0, failures: 0, timeouts: 0, overruns: 0, streak: 0 }
    return { name, good, ...none, sinceMs: null }
  }

  #settle(): void {
    this.#roster.settle()
    this.#orders.submit()
    this.#ports.alarm(this.#roster.deadlineAt(this.#ports.engine.now()))
  }
}
