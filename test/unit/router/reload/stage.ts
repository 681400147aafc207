/** A dispatcher on an engine that keeps books: what the tests of a reload apply configurations to, and what they compare. */

import type { Us } from '../../../../src/base/time.ts'
import { us } from '../../../../src/base/time.ts'
import { noStatics } from '../../../../src/config/statics.ts'
import type { Config, Globals, Instance, SyncGroup } from '../../../../src/config/types.ts'
import type { Order, Plan } from '../../../../src/engine/order.ts'
import type { KernelAddress } from '../../../../src/kernel/address-table.ts'
import type { Happening } from '../../../../src/report/event.ts'
import { Dispatcher } from '../../../../src/router/dispatch/dispatcher.ts'
import type { RunningInstance } from '../../../../src/router/dispatch/instance.ts'
import type { Roster } from '../../../../src/router/dispatch/roster.ts'
import type { Pause } from '../../../../src/router/reload/apply.ts'
import type { Refusals, ReloadPlan } from '../../../../src/router/reload/plan.ts'
import { atOnce } from '../../base/at-once.ts'
import { check, instanceText } from '../../config/reading.ts'
import { BookEngine } from '../book-engine.ts'
import { BookFrames } from '../book-frames.ts'
import { address, kernelOf, link } from '../facts.ts'
import { silentBfd } from '../silent-bfd.ts'

/** The defaults. */
export const globals: Globals = globalsOf('')

export function globalsOf(lines: string): Globals {
  const { config: found, text } = check(`global_defs {\n${lines}\n}\n${instanceText()}`)
  if (found === null) throw new Error(text)
  return found.globals
}

export const config = (
  instances: readonly Instance[],
  groups: readonly SyncGroup[] = [],
  more: Partial<Config> = {},
): Config => ({ globals, scripts: [], instances, groups, bfd: [], statics: noStatics, ...more })

/** eth0 with two addresses, eth1 with one; eth2 is not there; an ipvlan of eth0. */
const links = [link(3, 'eth0'), link(4, 'eth1'), link(5, 'ipv0', { kind: 'ipvlan', below: 3 })]
const kernelHolding = (addresses: readonly KernelAddress[]) => ({
  ...kernelOf(links, addresses),
  linkNames: links.map(({ name }) => name),
  linkByIndex: (ifindex: number) => links.find((it) => it.ifindex === ifindex) ?? null,
  hasAgain: () => false,
  isSuppressed: () => false,
  apply: () => [],
})

export class Stage {
  readonly engine = new BookEngine()
  readonly frames = new BookFrames()
  readonly happened: Happening[] = []
  readonly notified: string[] = []
  readonly dispatcher: Dispatcher
  /** What the kernel holds beside ours. */
  readonly addresses = [address(3, '10.0.0.1'), address(3, '10.0.0.2'), address(4, '10.1.0.1')]
  /** Milliseconds that pass with each look at the clock: a slice takes ten. */
  paceMs = 0
  #sliceMs = 0

  /** `adopting`: the configuration of one that is to adopt another's state; absent: it takes part with nothing. */
  constructor(adopting?: Config) {
    const none = () => undefined
    const log = { debug: none, info: none, warn: none, error: none, flush: () => Promise.resolve() }
    this.dispatcher = new Dispatcher(adopting ?? config([]), {
      engine: this.engine,
      kernel: kernelHolding(this.addresses),
      reader: { heard: () => [], read: none },
      notifier: {
        instance: ({ name, state }) => void this.notified.push(`${name} ${state}`),
        group: ({ name, state }) => void this.notified.push(`group ${name} ${state}`),
        repeat: none,
        reconfigure: none,
        stop: () => Promise.resolve(),
      },
      bfd: silentBfd,
      frames: this.frames,
      discriminator: () => 1,
      log,
      verdict: () => null,
      checks: none,
      settings: none,
      linkState: () => 'ready' as const,
      leaseOf: () => null,
      claim: () => true,
      alarm: none,
      wallMs: () => 0,
      sliceMs: () => {
        this.#sliceMs += this.paceMs
        return this.#sliceMs
      },
      lost: none,
      happened: (what) => {
        this.happened.push(what)
        return null
      },
      kernelChanged: none,
      settled: none,
    })
    if (adopting !== undefined) return
    const plan = atOnce(this.dispatcher.planStart())
    if (plan.ok) atOnce(this.dispatcher.start(plan))
  }

  /** The host's own configuration takes an address away, or gives it back. */
  hostSets(held: KernelAddress, present: boolean): void {
    const at = this.addresses.findIndex((it) => it.address === held.address)
    if (at >= 0) this.addresses.splice(at, 1)
    if (present) this.addresses.push(held)
    this.dispatcher.onKernel([{ kind: 'address', held, present, foreign: true }])
  }

  get roster(): Roster {
    return this.dispatcher.roster
  }

  plan(next: Config): ReloadPlan | Refusals {
    return atOnce(this.dispatcher.plan(next))
  }

  /** Starts, and reloads. */
  apply(next: Config): ReloadPlan | Refusals {
    const plan = this.plan(next)
    if (plan.ok) atOnce(this.dispatcher.apply(plan))
    return plan
  }

  /** The slices in which a plan is applied. */
  slices(next: Config): Generator<Pause, boolean> {
    const plan = this.plan(next)
    if (!plan.ok) throw new Error(plan.refusals.map(({ message }) => message).join('; '))
    return this.dispatcher.apply(plan)
  }

  settle(): void {
    this.dispatcher.settle()
  }

  named(name: string): RunningInstance {
    const found = this.roster.instances.find((it) => it.name === name)
    if (found === undefined) throw new Error(`no instance ${name}`)
    return found
  }

  /** The deadline of every backup passes. */
  expireAll(): void {
    for (const { slot } of this.roster.instances) {
      const generation = this.engine.slots.has(slot) ? this.engine.expire(slot) : null
      const at = us(this.engine.time)
      if (generation !== null)
        this.roster
          .bySlot(slot)
          ?.engineEvent({ kind: 'expired', slot, generation, deadlineUs: at, at, doneAt: at })
    }
    this.settle()
  }

  /** All that a reload may have changed, by name; what is told by numbers alone is told by what they stand for. */
  state() {
    const instances = this.roster.instances.map((it) => ({
      name: it.name,
      state: it.state.kind,
      faults: it.state.kind === 'fault' ? it.state.faults : [],
      assessment: it.assessment,
      cfg: it.cfg,
      applied: it.applied,
      place: this.#place(it),
      standing: this.#standing(it),
    }))
    const groups = this.roster.groups.map((g) => ({ cfg: g.cfg, members: g.memberNames }))
    const links = [...this.engine.links.values()].map((spec) => JSON.stringify(withoutFilter(spec)))
    const held = this.engine.held.map((one) => JSON.stringify(one)).sort()
    return { instances, groups, links: links.sort(), held, slots: this.engine.slots.size }
  }

  #place({ slot }: RunningInstance) {
    const at = this.engine.slots.get(slot)
    if (at === undefined) return null
    return { on: this.#specOf(at.link), vrid: at.vrid, peers: at.peers }
  }

  #specOf(id: number): string {
    const spec = this.engine.links.get(id)
    return spec === undefined ? 'none' : JSON.stringify(withoutFilter(spec))
  }

  /** What was carried out when the order was taken up is past, and a deadline depends on when that was. */
  #standing({ slot }: RunningInstance): unknown {
    const order: Order | undefined = this.engine.standing.get(slot)?.order
    if (order === undefined || order.kind === 'idle' || order.kind === 'once') return 'idle'
    const { kind } = order
    const lead = order.kind === 'follow' ? order.onExpiry : order
    const now = order.kind === 'follow' ? this.#bytes(order.onExpiry.now) : []
    const repeats = lead.repeats.map((r) => ({ ...r, plan: this.#bytes(r.plan) }))
    const restartUs: Us | null = order.kind === 'follow' ? order.restartUs : null
    return { kind, now, repeats, resign: this.#bytes(lead.resign), lateUs: lead.lateUs, restartUs }
  }

  #bytes(plan: Plan): readonly unknown[] {
    return plan.map((step) => {
      const bytes = Buffer.from(step.bytes).toString('hex')
      return step.kind === 'datagram' ? { to: step.to, bytes, on: this.#specOf(step.link) } : bytes
    })
  }
}

const withoutFilter = <T extends { readonly filter: unknown }>({ filter: _, ...rest }: T) => rest
