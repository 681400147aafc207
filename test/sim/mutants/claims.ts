/** Of the watch for other machines that claim an address, and of the question before a take-over. */
import type { Mutant } from './mutant.ts'

export const claimsMutants: readonly Mutant[] = [
  {
    name: 'claims: what is reflected is a claim',
    file: 'src/router/dispatch/claims.ts',
    find: 'if (!sameMac || (!leads && this.#lacks(claim.address)))',
    replace: 'if (!sameMac || leads)',
  },
  {
    name: 'claims: what has been sent is not remembered',
    file: 'src/router/claims/own-frames.ts',
    find: 'it.mark === mark && it.at >= at - backUs && it.at <= until',
    replace: 'it.mark === mark && it.at > until',
  },
  {
    name: 'claims: every frame with a MAC address of this host is its own',
    file: 'src/router/claims/same-mac.ts',
    find: 'if (claim.toGroup) this.#frames.heard(claim, now)',
    replace: 'if (!claim.toGroup) this.#frames.heard(claim, now)',
  },
  {
    name: 'claims: a machine with the same MAC address is announced against',
    file: 'src/router/claims/claimants.ts',
    find: 'if (!entry.sameMac) this.#announcements',
    replace: 'this.#announcements',
  },
  {
    name: 'claims: it listens to itself for ever',
    file: 'src/router/claims/own-frames.ts',
    find: 'if (!silent && (own < enough.own || !alone)) return',
    replace: 'if (!silent && (own < enough.own || alone)) return',
  },
  {
    name: 'claims: one counts at once',
    file: 'src/router/claims/claimants.ts',
    find: 'this.#entries.set(key, { ...claimant, dueAt: us(at + graceOf(lead)) })',
    replace: 'this.#entries.set(key, { ...claimant, dueAt: at })',
  },
  {
    name: 'claims: a competitor that is heard explains nothing',
    file: 'src/router/claims/claimants.ts',
    find: 'if (lead.rival) this.#entries.delete(key)',
    replace: 'if (lead.rival && entry.count < 0) this.#entries.delete(key)',
  },
  {
    name: 'claims: each frame is reported',
    file: 'src/router/claims/claimants.ts',
    find: 'this.#provoked(known, lead, at)',
    replace: 'known.dueAt = at',
  },
  {
    name: 'claims: nothing is announced',
    file: 'src/router/claims/announcements.ts',
    find: "if (announcing === 'never' || how === 'probed' || how === 'answered') return",
    replace: "if (announcing !== 'never' || how === 'probed' || how === 'answered') return",
  },
  {
    name: 'claims: once is always',
    file: 'src/router/claims/announcements.ts',
    find: "if (announcing === 'always') known.owed = true",
    replace: 'known.owed = true',
  },
  {
    name: 'claims: the gap does not grow',
    file: 'src/router/claims/announcements.ts',
    find: 'Math.min(Math.max(2 * machine.gapUs, defendUs.first), defendUs.longest)',
    replace: 'defendUs.first',
  },
  {
    name: 'claims: any number of machines provokes as many announcements',
    file: 'src/router/claims/announcements.ts',
    find: 'return us(Math.max(at, this.#bucket(address).availableAt(now)))',
    replace: 'return us(Math.max(at, now + 0 * this.#bucket(address).availableAt(now)))',
  },
  {
    name: 'claims: an answer of a router that answers for others is announced against',
    file: 'src/router/claims/announcements.ts',
    find: "how === 'probed' || how === 'answered') return",
    replace: "how === 'probed') return",
  },
  {
    name: 'claims: two defenders forget each other between two announcements',
    file: 'src/router/claims/announcements.ts',
    find: 'const forgottenUs = 2 * defendUs.longest',
    replace: 'const forgottenUs = 2 * defendUs.first',
  },
  {
    name: 'claims: who leads again has forgotten what it has announced',
    file: 'src/router/claims/announcements.ts',
    find: 'for (const machine of this.#machines.values()) machine.owed = false',
    replace: 'this.#machines.clear()',
  },
  {
    name: 'claim check: not asked',
    file: 'native/engine/core_time.cc',
    find: 'if (slot->state == State::kFollow && !passed) Push(*slot, slot->ask);',
    replace: 'if (slot->state == State::kLead && !passed) Push(*slot, slot->ask);',
  },
  {
    name: 'claim check: a lower master counts',
    file: 'src/router/dispatch/slot-orders.ts',
    find: "kind === 'overruled' ? null : asks.beforeUs",
    replace: 'asks.beforeUs',
  },
  {
    name: 'claim check: waits for ever',
    file: 'src/router/dispatch/claim-check.ts',
    find: 'if (now - since >= restartUs) return null',
    replace: 'if (since - now >= restartUs) return null',
  },
  {
    name: 'claim check: a refusal is never lifted',
    file: 'src/router/dispatch/claim-check.ts',
    find: 'return this.#withdrawal.lift(now)',
    replace: 'return this.#withdrawal.lift(now) && now < 0',
  },
]
