/** Of reloads: what they must not do, one for each fault that was mended. */
import type { Mutant } from './mutant.ts'

export const reloadMutants: readonly Mutant[] = [
  {
    name: 'reload: an order goes out for a slot without sockets',
    file: 'src/router/dispatch/slot-orders.ts',
    find: 'if (this.#binding.link === null) return',
    replace: '',
  },
  {
    name: 'reload: a configuration counts as applied although its sockets did not open',
    file: 'src/router/dispatch/instance.ts',
    find: "return this.#applied && !this.binding.faults.some(({ kind }) => kind === 'transport')",
    replace: 'return true',
  },
  {
    name: 'reload: a backup whose sockets are replaced goes back to the deadline of long ago',
    file: 'src/router/dispatch/instance.ts',
    find: 'const before = this.binding.facts\n    this.#parts.election.refresh()',
    replace: 'const before = this.binding.facts',
  },
  {
    name: 'reload: a master whose sockets are replaced begins its interval anew',
    file: 'src/router/dispatch/slot-orders.ts',
    find: 'if (before !== null && rejoined !== null && leads) this.takeUp(standing, rejoined)',
    replace: "if (before !== null && rejoined !== null && leads) this.install('replace', standing)",
  },
  {
    name: 'reload: a backup that was late takes over at once from new sockets',
    file: 'src/router/dispatch/instance.ts',
    find: 'if (rejoined) this.#parts.election.rejoined(joined.now)',
    replace: '',
  },
  {
    name: 'reload: the engine keeps the lease of the start',
    file: 'src/router/dispatch/plan-run.ts',
    find: 'engine.setLiveness(next.globals.livenessUs)',
    replace: '',
  },
  {
    name: 'reload: the configuration in force stays the one before',
    file: 'src/router/dispatch/dispatcher.ts',
    find: '    this.#config = next\n',
    replace: '',
  },
  {
    name: 'reload: an address that is held is not altered',
    file: 'src/router/binding/address-difference.ts',
    find: 'label === to.label &&',
    replace: '',
  },
  {
    name: 'reload: the interface that is absent is a mistake of the file',
    file: 'src/router/dispatch/dispatcher.ts',
    find: 'return [...new Set([...this.#interfacesAtStart, ...namedInterfaces(this.#config)])]',
    replace: 'return []',
  },
  {
    name: 'reload: it goes on after the daemon has begun to stop',
    file: 'src/router/reload/apply.ts',
    find: "yield freed ? 'flush' : 'turn'\n      if (ports.stopping()) return false",
    replace: "yield freed ? 'flush' : 'turn'",
  },
  {
    name: 'reload: an address that moves is deleted by the one that gives it up',
    file: 'src/router/dispatch/roster.ts',
    find: 'if (addressesOf(to).some(({ address }) => given.has(address))) instance.keeper.holdAddresses()',
    replace: ';',
  },
  {
    name: 'reload: a new member pulls its sync group down',
    file: 'src/router/dispatch/roster.ts',
    find: 'for (const instance of added) for (const group of groups) group.welcome(instance)',
    replace: '',
  },
  {
    name: 'reload: a sync group that goes on is notified as if it were new',
    file: 'src/router/dispatch/roster.ts',
    find: 'const before = this.#groups.get(cfg.name)?.state ?? null',
    replace: 'const before = null',
  },
  {
    name: 'reload: a script that it brings holds its instance until the first result',
    file: 'src/router/dispatch/dispatcher.ts',
    find: 'holds: (name) => this.#verdicts.holds(name),',
    replace: 'holds: () => true,',
  },
]
