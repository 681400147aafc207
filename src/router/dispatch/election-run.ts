/** The election's machine of one instance, on the clock of the engine, which moves a backup's deadline on its own. */
import { addUs, type Us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import { recounted } from '../../election/backup.ts'
import { restartUs } from '../../election/effects.ts'
import { initial, refreshed, step } from '../../election/step.ts'
import type { Event, Machine, Params, Step } from '../../election/types.ts'
import type { Engine } from '../../engine/contract.ts'
import type { SlotId } from '../../engine/order.ts'
import { paramsOf } from '../binding/slot-facts.ts'
import type { SocketBinding } from '../binding/socket-binding.ts'

export class ElectionRun {
  readonly #slot: SlotId
  readonly #binding: SocketBinding
  readonly #engine: Pick<Engine, 'now' | 'counters'>
  #params: Params
  #machine: Machine
  #group: { readonly ownerListens: boolean } | null = null

  constructor(
    slot: SlotId,
    cfg: Instance,
    binding: SocketBinding,
    engine: Pick<Engine, 'now' | 'counters'>,
  ) {
    this.#slot = slot
    this.#binding = binding
    this.#engine = engine
    this.#params = paramsOf(cfg, null)
    this.#machine = initial(this.#params)
  }

  get params(): Params {
    return this.#params
  }
  get machine(): Machine {
    return this.#machine
  }
  get listensOrLeads(): boolean {
    return this.#machine.state.kind === 'backup' || this.#machine.state.kind === 'master'
  }

  /** `group`: null for none. `ownerListens`: not all members are owners, so an owner begins like any other. */
  setGroup(group: { readonly ownerListens: boolean } | null, cfg: Instance): void {
    this.#group = group
    this.follow(cfg)
  }

  /** The parameters of this configuration on the present sockets. */
  follow(cfg: Instance): void {
    const params = paramsOf(cfg, this.#binding.source)
    // The members of a group move together, by the group's word: one that resigned alone would interrupt the others.
    const resignOnDemotion = params.resignOnDemotion && this.#group === null
    const ownerListens = this.#group?.ownerListens ?? false
    this.#params = { ...params, resignOnDemotion, ownerListens }
  }

  /** The same for a reload: the master's interval counts as the new parameters say. */
  recount(cfg: Instance): void {
    this.follow(cfg)
    this.#machine = recounted(this.#params, this.#machine)
  }

  /** Takes over the deadline that the engine has by now. To be called before the engine forgets what it counted. */
  refresh(): void {
    const { state } = this.#machine
    if (state.kind !== 'backup' || this.#binding.link === null) return
    const heardAt = this.#engine.counters(this.#slot).lastExpectedUs
    this.#machine = refreshed(this.#params, this.#machine, heardAt)
  }

  /**
   * The sockets are new. A deadline that has passed without a take-over was waited for by the engine for a reason that
   * the new ones know nothing of (a thread that was late, a packet that is not judged): one more interval of listening.
   */
  rejoined(now: Us): void {
    const { state } = this.#machine
    if (state.kind !== 'backup' || state.wantsMaster || state.masterDownAt > now) return
    const masterDownAt = addUs(now, restartUs(this.#params, this.#machine))
    this.#machine = { ...this.#machine, state: { ...state, masterDownAt } }
  }

  /** What another process decided. */
  adopt(machine: Machine): void {
    this.#machine = machine
  }

  step(event: Event, at: Us): Step {
    this.refresh()
    const taken = step(this.#params, this.#machine, event, at)
    this.#machine = taken.machine
    return taken
  }

  /**
   * The engine took the master's expected advert while another one that came before it waited for us: that one
   * must not set the deadline back. If it still means something, its sender will say it again.
   */
  heardMasterSince(at: Us): boolean {
    if (this.#machine.state.kind !== 'backup' || this.#binding.link === null) return false
    return (this.#engine.counters(this.#slot).lastExpectedUs ?? at) > at
  }
}
