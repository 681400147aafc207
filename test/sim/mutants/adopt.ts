/** Of what one process passes to the next. */
import type { Mutant } from './mutant.ts'

export const adoptMutants: readonly Mutant[] = [
  {
    name: 'adopt: the verdicts of the checks are not passed on',
    file: 'src/router/dispatch/check-verdicts.ts',
    find: 'return this.#adopted.get(name) ?? status',
    replace: 'return status',
  },
  {
    name: 'adopt: a master begins its interval anew',
    file: 'src/engine/resume-lead.ts',
    find: 'firstAfterUs: us(Math.max(0, dueAt - now))',
    replace: 'firstAfterUs: everyUs',
  },
  {
    name: 'adopt: the announcements of a master begin anew',
    file: 'src/engine/resume-lead.ts',
    find: 'return left <= 0 ? [] : [{ ...next, times: left }]',
    replace: 'return [repeat]',
  },
  {
    name: 'adopt: a competitor that comes later is answered as much later again',
    file: 'src/engine/resume-lead.ts',
    find: 'const elapsed = Math.max(0, now -',
    replace: 'const elapsed = Math.max(-(10 ** 12), now -',
  },
  {
    name: 'adopt: a backup has no expected advert',
    file: 'src/router/dispatch/slot-orders.ts',
    find: 'this.#expected = expected === null ? null : { ...expected, payload: fromHex(expected.payload) }',
    replace: '',
  },
  {
    name: 'adopt: a state of another version is read',
    file: 'src/router/dispatch/router-state.ts',
    find: 'versionOf(state) === stateVersion',
    replace: "typeof versionOf(state) === 'number'",
  },
  {
    name: 'adopt: what another process ordered is carried out again',
    file: 'src/router/dispatch/slot-orders.ts',
    find: "const order = this.#plan(facts, { params, machine }, 'replace')",
    replace: "const order = this.#plan(facts, { params, machine }, 'enter')",
  },
  {
    name: 'adopt: the host is drained no more',
    file: 'src/router/dispatch/stand-by.ts',
    find: '    this.#drained = drained\n',
    replace: '',
  },
]
