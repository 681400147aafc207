/**
 * Planned hand-overs: makes instances stand by, and waits until another router leads. How the peer comes to take over is
 * the protocol's business (stand-by.ts); here is only who was asked, and what became of it.
 */
import { addUs, type Us, us, usToMilliseconds } from '../../base/time.ts'
import { downIntervalUs } from '../../base/vrrp-timing.ts'
import type { Instance } from '../../config/types.ts'
import type { HandOver } from '../../report/hand-over.ts'
import type { RunningInstance } from '../dispatch/instance.ts'

type Candidate = Pick<RunningInstance, 'name' | 'state' | 'cfg' | 'assessment'>
type Named = { readonly name: string }

/** The roster, and the daemon's own end of a batch. */
export type HandOverPorts = {
  readonly roster: {
    readonly instances: readonly Candidate[]
    handedOverWith(name: string): readonly Candidate[]
    readonly drained: boolean
    keeps(name: string): boolean
    failover(instances: readonly Named[]): void
    drain(): void
    keep(instances: readonly Named[]): void
    resume(instances: readonly Named[] | null): void
  }
  now(): Us
  /** Carries out what the roster's new opinion asks for. */
  settle(): void
}

/** What a peer's own slowness may add to what the protocol asks for. */
const patienceUs = us(1_000_000)
/** The control socket waits a minute for its answer. */
const longestUs = us(55_000_000)

type Waiting = { readonly masters: readonly Candidate[]; done(): void }

export class HandOvers {
  readonly #ports: HandOverPorts
  readonly #waiting = new Set<Waiting>()

  constructor(ports: HandOverPorts) {
    this.#ports = ports
  }

  /** Throws when there is nothing of that name, or nothing that it could give away. */
  async failover(name: string): Promise<readonly HandOver[]> {
    const { roster } = this.#ports
    const chosen = this.#named(name)
    const owner = chosen.find(owns)
    if (owner !== undefined)
      throw new Error(`${owner.name} is an address owner: no router is better`)
    if (!chosen.some(leads)) throw new Error(`${name} is not master here: nothing to hand over`)
    roster.failover(chosen)
    return await this.#given(chosen, () => roster.resume(chosen))
  }

  /** What no peer takes over leads on with its own priority, its sync group with it; the host stays drained. */
  drain(): Promise<readonly HandOver[]> {
    const { roster } = this.#ports
    roster.drain()
    return this.#given(roster.instances, (kept) =>
      roster.keep(kept.flatMap((it) => roster.handedOverWith(it.name))),
    )
  }

  /** null: all instances, and the host. Throws when there is nothing of that name. */
  resume(name: string | null): readonly string[] {
    const { roster } = this.#ports
    const chosen = name === null ? null : this.#named(name)
    const stood = (chosen ?? roster.instances).filter(
      (it) => it.assessment.standsBy !== null || roster.keeps(it.name),
    )
    if (name !== null && roster.drained)
      throw new Error('the whole host is drained: resume it without a name')
    roster.resume(chosen)
    this.#ports.settle()
    return stood.map((it) => it.name)
  }

  /** It is not known yet whether a peer takes over. */
  get busy(): boolean {
    return this.#waiting.size > 0
  }

  /** After every batch of events. */
  look(): void {
    for (const waiting of this.#waiting) if (!waiting.masters.some(leads)) waiting.done()
  }

  #named(name: string): readonly Candidate[] {
    const { roster } = this.#ports
    const chosen = roster.handedOverWith(name)
    if (chosen.length > 0) return chosen
    const known = roster.instances.map((it) => it.name).join(', ')
    throw new Error(`no instance or sync group is called ${name}; there are: ${known}`)
  }

  /** `giveBack`: no peer came for these, and it must not look as if one would. */
  async #given(
    instances: readonly Candidate[],
    giveBack: (kept: readonly Candidate[]) => void,
  ): Promise<readonly HandOver[]> {
    const masters = instances.filter((it) => leads(it) && !owns(it))
    const wishedUs = us(Math.max(0, ...masters.map((it) => protocolUs(it.cfg))))
    const answerUs = us(Math.min(wishedUs, longestUs))
    const from = this.#ports.now()
    this.#ports.settle()
    await this.#gone(masters, answerUs)
    const tookMs = Math.round(usToMilliseconds(us(this.#ports.now() - from)))
    if (wishedUs > longestUs) {
      const later = this.#gone(masters, us(wishedUs - answerUs))
      void later.then(() => this.#giveBack(masters, giveBack))
    } else this.#giveBack(masters, giveBack)
    const late = wishedUs > longestUs ? 'pending' : 'kept'
    return instances.map((it) => outcomeOf(it, masters.includes(it), tookMs, late))
  }

  #giveBack(masters: readonly Candidate[], giveBack: (kept: readonly Candidate[]) => void): void {
    const kept = masters.filter(leads)
    if (kept.length === 0) return
    giveBack(kept)
    this.#ports.settle()
  }

  #gone(masters: readonly Candidate[], withinUs: Us): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(waiting)
        resolve()
      }
      const waiting: Waiting = { masters, done }
      const timer = setTimeout(done, usToMilliseconds(withinUs))
      this.#waiting.add(waiting)
      this.look()
    })
  }
}

const owns = (it: Candidate): boolean => it.cfg.priority === 255
const leads = (it: Candidate): boolean => it.state.kind === 'master'

/** `asked`: it led, and could hand over. `late`: what it is if it leads still. */
function outcomeOf(
  it: Candidate,
  asked: boolean,
  tookMs: number,
  late: 'kept' | 'pending',
): HandOver {
  const { name, state } = it
  if (!asked) return { name, outcome: owns(it) ? 'owner' : 'was-not-master', tookMs: 0, to: null }
  if (leads(it)) return { name, outcome: late, tookMs, to: null }
  if (state.kind !== 'backup') return { name, outcome: 'left', tookMs, to: null }
  return { name, outcome: 'handed-over', tookMs, to: state.master?.address ?? null }
}

/** One advert until the peer hears of it, its longest down interval, its preempt_delay if it is as ours. */
function protocolUs(cfg: Instance): Us {
  const { version, downTimerAdverts, advertIntervalUs: intervalUs, preemptDelayUs } = cfg
  const down = downIntervalUs({ version, downTimerAdverts, effectivePriority: 1, intervalUs })
  return addUs(addUs(addUs(down, intervalUs), preemptDelayUs), patienceUs)
}
