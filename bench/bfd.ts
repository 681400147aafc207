/**
 * BFD beside keepalived: how long a cut host is missed, and how many sessions are lost that are not.
 *
 * npm run bench:bfd -- outage [--n 10]
 * npm run bench:bfd -- false [--minutes 10] [--ordinary]
 */
import { parseArgs } from 'node:util'
import { ensureNamespaces } from '../src/lab/namespaces.ts'
import { falseDetections } from './bfd-false.ts'
import { outages } from './bfd-outage.ts'

ensureNamespaces()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    n: { type: 'string', default: '10' },
    minutes: { type: 'string', default: '10' },
    ordinary: { type: 'boolean', default: false },
  },
})
const [what] = positionals
if (what === 'outage') process.stdout.write(await outages(Number(values.n)))
else if (what === 'false')
  process.stdout.write(await falseDetections(Number(values.minutes), !values.ordinary))
else throw new Error('outage or false?')
