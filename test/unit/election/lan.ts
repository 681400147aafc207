/**
 * Pure machines on virtual segments without loss: adverts arrive a little later, deadlines fire when the state
 * says so, and sync groups settle after every step, as the daemon and the engine do it. Every advert is raised,
 * so a backup's own masterDownAt is the engine's deadline.
 */
import assert from 'node:assert/strict'
import { addUs, type Us, us } from '../../../src/base/time.ts'
import { initial, nextDeadline, step } from '../../../src/election/step.ts'
import { groupDecide, type Members, mayLead } from '../../../src/election/sync-group.ts'
import type { Cause, Event, Machine, Params, State } from '../../../src/election/types.ts'

export type Node = {
  readonly key: string
  readonly params: Params
  segment: string
  readonly group: string | null
  alive: boolean
  machine: Machine
  advertAt: Us | null
}

export type Moved = {
  readonly at: Us
  readonly key: string
  readonly to: State['kind']
  readonly cause: Cause
  /** Who was master of the segment already, for longer than an advert needs to arrive. */
  readonly against: readonly string[]
}

type Due = { readonly at: Us; readonly run: () => void }

const flightUs = us(150)

export class Lan {
  now = us(0)
  readonly nodes = new Map<string, Node>()
  readonly moves: Moved[] = []
  #queue: Due[] = []

  add(key: string, params: Params, segment = 'lan', group: string | null = null): Node {
    const machine = initial(params)
    const node: Node = {
      key,
      params,
      segment,
      group,
      alive: true,
      machine,
      advertAt: null,
    }
    this.nodes.set(key, node)
    return node
  }

  at(instant: Us, run: () => void): void {
    this.#queue.push({ at: instant, run })
  }

  /** The event, whatever follows from it at once, and the sync group's answer to it. */
  feed(node: Node, event: Event): void {
    if (!node.alive) return
    this.#step(node, event)
    if (node.group === null) return
    for (let round = 0; ; round++) {
      assert.ok(round < 4, 'the sync group does not settle')
      const actions = groupDecide(node.group, this.group(node.group))
      if (actions.length === 0) return
      for (const { member, event: forced } of actions) {
        const other = this.nodes.get(member)
        if (other !== undefined) this.#step(other, forced)
      }
    }
  }

  /** A host that is cut off or dead: it says nothing more and hears nothing. */
  kill(node: Node): void {
    node.alive = false
  }

  group(name: string): Members {
    return new Map([...this.nodes].filter(([, node]) => node.group === name))
  }

  runUntil(end: Us): void {
    for (;;) {
      const due = this.#next()
      if (due === null || due.at > end) break
      assert.ok(due.at >= this.now, 'time runs forward')
      this.now = due.at
      due.run()
    }
    this.now = end
  }

  masters(segment = 'lan'): readonly Node[] {
    return [...this.nodes.values()].filter(
      (n) => n.alive && n.segment === segment && n.machine.state.kind === 'master',
    )
  }

  #step(node: Node, event: Event): void {
    const before = node.machine.state.kind
    const { machine, effects } = step(node.params, node.machine, event, this.now)
    node.machine = machine
    for (const effect of effects) {
      if (effect.kind === 'advertise') this.#send(node, machine.effective)
      if (effect.kind === 'transition') {
        const { to, cause } = effect
        const against = to === 'master' ? this.#reigning(node) : []
        this.moves.push({ at: this.now, key: node.key, to, cause, against })
      }
    }
    const after = machine.state.kind
    if (before === 'master' && (after === 'fault' || after === 'stopped')) this.#send(node, 0)
    if (after !== 'master') node.advertAt = null
    else if (before !== 'master') this.#advertise(node)
  }

  #reigning(than: Node): readonly string[] {
    const others = this.masters(than.segment).filter((n) => n !== than)
    const heard = ({ machine: { state } }: Node): boolean =>
      state.kind === 'master' && addUs(state.since, flightUs) < this.now
    return others.filter(heard).map((n) => n.key)
  }

  #advertise(node: Node): void {
    this.#send(node, node.machine.effective)
    node.advertAt = addUs(this.now, node.params.advertIntervalUs)
  }

  #send(from: Node, priority: number): void {
    const { source, advertIntervalUs } = from.params
    const advert = { from: source, priority, intervalUs: advertIntervalUs }
    const { segment } = from
    const receivers = [...this.nodes.values()].filter((n) => n !== from && n.segment === segment)
    this.at(addUs(this.now, flightUs), () => {
      for (const node of receivers)
        if (node.segment === segment) this.feed(node, { kind: 'advert', advert })
    })
  }

  #next(): Due | null {
    let best: Due | null = null
    let scheduled = -1
    for (const [i, due] of this.#queue.entries())
      if (best === null || due.at < best.at) {
        best = due
        scheduled = i
      }
    for (const node of this.nodes.values())
      for (const due of this.#alarms(node))
        if (best === null || due.at < best.at) {
          best = due
          scheduled = -1
        }
    if (scheduled >= 0) this.#queue.splice(scheduled, 1)
    return best
  }

  #alarms(node: Node): readonly Due[] {
    const { state } = node.machine
    if (!node.alive) return []
    if (node.advertAt !== null) return [{ at: node.advertAt, run: () => this.#advertise(node) }]
    if (state.kind !== 'backup') return []
    const tickAt = nextDeadline(state)
    const alarms: Due[] =
      tickAt === null ? [] : [{ at: tickAt, run: () => this.feed(node, { kind: 'tick' }) }]
    if (!state.wantsMaster) alarms.push({ at: state.masterDownAt, run: () => this.#expire(node) })
    return alarms
  }

  /** The engine: with an empty `then` nothing happens, and the wish is reported. */
  #expire(node: Node): void {
    const armed = node.group === null || mayLead(this.group(node.group), node.key)
    this.feed(node, armed ? { kind: 'expired' } : { kind: 'held', at: this.now })
  }
}
