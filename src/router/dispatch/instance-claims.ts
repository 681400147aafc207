/**
 * Claims of other machines (claims.ts), as one instance takes them: a master weighs them with its lead, and a backup that
 * asks before it takes over waits or refuses to lead, as its configuration says.
 */
import type { Us } from '../../base/time.ts'
import type { Instance } from '../../config/types.ts'
import { restartUs } from '../../election/effects.ts'
import type { SlotFacts } from '../../engine/plans-addresses.ts'
import type { TakeOver } from '../../report/past-claim.ts'
import type { Claimant } from '../claims/claimant.ts'
import type { Lead } from '../claims/claimants.ts'
import type { HeardClaim } from '../claims/watch.ts'
import type { Parts } from './instance-parts.ts'

export type InstanceClaimsPorts = {
  cfg(): Instance
  /** Not to take over before `until`. */
  wait(until: Us): void
  /** A claim has become a fault. */
  refused(): void
}

/** An answer to the question before a take-over; `told`: it is the first of that machine. */
type Answered = {
  readonly claimant: Claimant
  readonly told: boolean
  readonly takeOver: TakeOver
}

export class InstanceClaims {
  readonly #parts: Pick<
    Parts,
    'binding' | 'check' | 'claimants' | 'competitors' | 'election' | 'orders'
  >
  readonly #ports: InstanceClaimsPorts

  constructor(parts: Parts, ports: InstanceClaimsPorts) {
    this.#parts = parts
    this.#ports = ports
  }

  /** Of a master, what claims of other machines are weighed with; else null. */
  leadAt(now: Us): Lead | null {
    const { competitors, election } = this.#parts
    const { params, machine } = election
    if (machine.state.kind !== 'master') return null
    const { addressClaim, advertIntervalUs } = this.#ports.cfg()
    const { since } = machine.state
    const rival = competitors.rivalAt(now, { params, machine }) !== null
    return { since, advertIntervalUs, addressClaim, rival, now }
  }

  /** Of a backup that asks before it takes over, what it asks about; else null. */
  get askFacts(): SlotFacts | null {
    const { orders, election, binding } = this.#parts
    return orders.askBeforeUs(election) === null ? null : binding.facts
  }

  /** Another machine claims an address while this backup may be about to take over; null: it is none that counts. */
  claimed(claim: HeardClaim & Pick<Claimant, 'sameMac'>, on: string, now: Us): Answered | null {
    const { election, orders, check } = this.#parts
    election.refresh()
    const { params, machine } = election
    const beforeUs = orders.askBeforeUs({ params, machine })
    if (machine.state.kind !== 'backup' || beforeUs === null) return null
    const { masterDownAt: deadline } = machine.state
    const asking = { policy: this.#ports.cfg().claimPolicy, deadline, beforeUs, now }
    const span = { restartUs: restartUs(params, machine) }
    const answer = check.answered(claim, on, { ...asking, ...span })
    if (answer === null) return null
    if (answer.refused) this.#ports.refused()
    else if (answer.until !== null) this.#ports.wait(answer.until)
    const takeOver = answer.refused ? 'refused' : answer.until === null ? 'went-on' : 'put-off'
    return { claimant: answer.claimant, told: answer.told, takeOver }
  }

  /** Other machines that were heard to claim an address in the last minute. */
  at(now: Us): readonly Claimant[] {
    const { claimants, check, election } = this.#parts
    return election.machine.state.kind === 'master' ? claimants.at(now) : check.at(now)
  }
}
