/** Of addresses, routes and rules that other programs alter, and of static entries. */
import type { Mutant } from './mutant.ts'

export const kernelMutants: readonly Mutant[] = [
  {
    name: 'a route left behind: what leaves removes its rules alone',
    file: 'src/engine/plans-entries.ts',
    find: '.filter(({ identity }) => !but.has(identity))',
    replace: ".filter(({ identity, kind }) => !but.has(identity) && kind === 'rule')",
  },
  {
    name: 'a route that another program removed is not put back',
    file: 'src/router/dispatch/entry-keeper.ts',
    find: 'this.#restorer.lost(identity, now)',
    replace: 'void 0',
  },
  {
    name: 'a route that another program replaced is not put back',
    file: 'src/kernel/mirror.ts',
    find: 'return message.replaces && message.protocol !== vipdProtocol',
    replace: 'return message.replaces && message.protocol === vipdProtocol',
  },
  {
    name: 'an address that another program altered is left so',
    file: 'src/router/binding/altered-address.ts',
    find: 'if (valid > whole || valid < whole / 3) return true',
    replace: 'if (valid > whole) return true',
  },
  {
    name: 'static: what another program removed is left so',
    file: 'src/router/dispatch/static-entries.ts',
    find: 'if (lost.length === 0) return',
    replace: 'if (lost.length >= 0) return',
  },
  {
    name: 'static: a route that went with its interface is not set again',
    file: 'src/router/dispatch/static-entries.ts',
    find: 'if (back) this.#addAll(this.#facts)',
    replace: '',
  },
  {
    name: 'static: a stopped daemon leaves them',
    file: 'src/router/dispatch/dispatcher.ts',
    find: 'this.statics.set(noStatics)',
    replace: '',
  },
  {
    name: 'static: a reload takes none away',
    file: 'src/router/dispatch/static-entries.ts',
    find: 'for (const it of remove) if (!others.has(it.identity)) this.#remove(it)',
    replace: '',
  },
  {
    name: 'a deleted address is not put back',
    file: 'src/router/dispatch/address-keeper.ts',
    find: 'if (!lost || !tracked) return',
    replace: 'if (lost || tracked) return',
  },
]
