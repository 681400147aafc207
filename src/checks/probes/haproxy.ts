/** Asks HAProxy's runtime API how a server, or a whole backend, is (HAProxy management guide, `show stat`). */
import type { HaproxyProbe } from '../../base/probe.ts'
import { ProbeFailure } from '../verdict/probe-failure.ts'
import { open, type ProbeContext } from './connection.ts'
import { show } from './expectation.ts'
import { type Judgement, StreamReader } from './stream-reader.ts'

/** The kinds of row that `show stat` filters by. */
const rows = { backend: 2, server: 4 }
const answerBytesMax = 4_194_304
const wellKnown = ['# pxname', 'svname', 'status'] as const

/** Resolves with the words of success. Rejects with a ProbeFailure. */
export async function probeHaproxy(probe: HaproxyProbe, context: ProbeContext): Promise<string> {
  const { backend, server } = probe
  const socket = await open(probe.to, null, context)
  socket.once('data', () => context.passed('first byte'))
  socket.write(`show stat ${backend} ${server === null ? rows.backend : rows.server} -1\n`)
  const row = find(await new StreamReader(socket).read(readAnswer), backend, server ?? 'BACKEND')
  const status = row.get('status') ?? ''
  const check = [row.get('check_status'), row.get('last_chk')].filter(Boolean).join(': ')
  const words = `${server ?? backend} is ${status}${check === '' ? '' : ` (${check})`}`
  // 'UP', 'UP 1/3' (failing, not yet down), 'no check'.
  if (/^(UP|no check)/.test(status)) return words
  throw new ProbeFailure(words)
}

/** Everything up to the empty line that ends an answer. */
function readAnswer(received: Buffer): Judgement<string> {
  const end = received.indexOf('\n\n')
  if (end >= 0)
    return { kind: 'match', value: received.toString('utf8', 0, end), rest: received.subarray(end) }
  if (received.length <= answerBytesMax) return { kind: 'incomplete' }
  return { kind: 'mismatch', why: `an answer of more than ${answerBytesMax} bytes` }
}

function find(answer: string, backend: string, server: string): ReadonlyMap<string, string> {
  const [head = '', ...lines] = answer.split('\n')
  const names = head.split(',')
  if (!wellKnown.every((name) => names.includes(name)))
    throw new ProbeFailure(`not HAProxy's runtime API: ${show(Buffer.from(answer))}`)
  const all = lines.map((line) => {
    const values = line.split(',')
    return new Map(names.map((name, i) => [name, values[i] ?? '']))
  })
  const row = all.find((each) => each.get('# pxname') === backend && each.get('svname') === server)
  if (row !== undefined) return row
  throw new ProbeFailure(
    all.length === 0 ? `no backend ${backend}` : `backend ${backend} has no server ${server}`,
  )
}
