/**
 * BFD's sessions follow the slots to another process: the thread that has them sends and listens a little longer, then gives
 * them. Or it is dead, and its successor goes on without.
 */
import { enginePolicy } from '../../src/engine/policy.ts'
import type { Host } from './host.ts'
import { betweenThreadsUs } from './latency.ts'
import type { Process } from './process.ts'
import type { Surroundings } from './witness.ts'

/** The slots have just been taken. `soon`: the process before is about to end. */
export function passSessions(
  host: Host,
  before: Process,
  next: Process,
  { agenda, prng, scenario, witness }: Surroundings,
  soon = false,
): void {
  before.bfd.lingers = true
  if (scenario.bfd === undefined) return next.bfd.take(false)
  const dead = prng.chance(0.2)
  const patience = Math.min(enginePolicy.exchangeUs.sessionsGiven, before.bfd.everyUs / 2)
  const most = soon ? betweenThreadsUs : Math.max(betweenThreadsUs, Math.floor(patience))
  if (dead) {
    before.bfd.lingers = false
    // What arrives from here on waits for the successor.
    witness.bfdSeized(host)
  }
  const take = (): void => {
    if (host.process !== next) return
    if (host.asleep) agenda.after(1_000, take)
    else next.bfd.take(dead)
  }
  agenda.after(dead ? Math.floor(patience) : prng.between(2, most), take)
}
