/**
 * Other machines that claim an address (docs/address-claims.md):
 *
 * npm run bench:claim -- report [--n 20] [--cases foreign,stale,same-mac,dad] [--intervals 0.1,1]   from the first frame of
 *     the other machine to the line of the log; 1 to 3 minutes for a case and interval at n = 20
 * npm run bench:claim -- takeover [--n 20]   of a cut master, with vipd_claim_check always beside off, by turns; 3 minutes
 * npm run bench:claim -- busy [--frames 200000] [--rounds 5]   processor time of a frame that is not meant, sender and receiver
 *     together, with the watch beside without, by turns; 1 minute
 */
import { parseArgs } from 'node:util'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { busyTable } from './claim-busy.ts'
import { reportTable } from './claim-report.ts'
import { takeoverTable } from './claim-takeover.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string', default: '20' },
    cases: { type: 'string', default: 'foreign,stale,same-mac,dad' },
    intervals: { type: 'string', default: '0.1,1' },
    frames: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
  },
})

ensureNamespaces()
const [what] = positionals
const n = Number(values.n)
const intervals = values.intervals.split(',').map(Number)
const benches: Readonly<Record<string, () => Promise<void>>> = {
  report: () => reportTable(values.cases.split(','), intervals, n),
  takeover: () => takeoverTable(n),
  busy: () => busyTable(Number(values.frames), Number(values.rounds)),
}
const bench = benches[what ?? '']
if (bench === undefined) throw new Error(`one of ${Object.keys(benches).join(', ')}`)
await bench()
