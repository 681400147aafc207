/** Checks in the pool of this process, against servers in another one: what each probe costs, and how late it is. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Command } from '../src/base/command.ts'
import { connectsTo } from '../src/base/probe.ts'
import { summarise } from '../src/base/statistics.ts'
import { startCheckPool } from '../src/checks/pool/pool.ts'
import { unpackResults } from '../src/checks/verdict/record.ts'
import type { CheckSpec } from '../src/checks/verdict/types.ts'
import { ports } from './checks-ports.ts'

export type Options = { readonly seconds: number; readonly n: number }
type Row = Readonly<Record<string, string | number>>

const intervalMs = 100
const sizes = [1, 100, 1_000, 5_000]

const tcp: Command = {
  kind: 'probe',
  probe: connectsTo({ kind: 'tcp', host: '127.0.0.1', port: ports.plain }),
}
const http: Command = {
  kind: 'probe',
  probe: {
    kind: 'http',
    ...{ method: 'GET', host: '127.0.0.1', port: ports.http, path: '/', hostField: 'bench' },
    ...{ tls: null, status: [{ from: 200, to: 399 }], fields: [], body: null, digest: null },
  },
}
const udp: Command = {
  kind: 'probe',
  probe: {
    kind: 'udp',
    ...{ host: '127.0.0.1', port: ports.udp, octets: Uint8Array.of(1), expect: null },
  },
}
const icmp: Command = { kind: 'probe', probe: { kind: 'icmp', host: '127.0.0.1', octets: 56 } }
const process_: Command = { kind: 'process', like: 'killall', name: 'bench-server' }
const file: Command = {
  kind: 'file',
  ...{ path: '/etc/hostname', readable: false, fresherMs: null, content: null },
}
export const forked: Command = { kind: 'argv', argv: ['/usr/bin/killall', '-0', 'bench-server'] }
const hangs: Command = {
  kind: 'probe',
  probe: {
    kind: 'dialogue',
    to: { kind: 'tcp', host: '127.0.0.1', port: ports.silent },
    tls: null,
    turns: [{ kind: 'expect', what: { kind: 'line', source: 'never' } }],
  },
}
const sleeps: Command = { kind: 'argv', argv: ['/bin/sleep', '1000'] }

/** A fork takes milliseconds: more of them than this the machine does not do. */
const forkedSizes = [1, 10, 50]

export async function costs({ seconds }: Options): Promise<Row[]> {
  const kinds: readonly (readonly [string, Command, readonly number[]])[] = [
    ['forked killall -0', forked, forkedSizes],
    ['process', process_, sizes],
    ['file', file, sizes],
    ['icmp', icmp, sizes],
    ['udp', udp, sizes],
    ['tcp', tcp, sizes],
    ['http', http, sizes],
  ]
  const rows: Row[] = []
  for (const [name, command, counts] of kinds)
    for (const count of counts) rows.push(await measure(name, repeated(command, count), seconds))
  return rows
}

/** 1,000 checks at 100 ms; 50 of them hang. */
export async function hanging({ seconds }: Options): Promise<Row[]> {
  const mixes: readonly (readonly [string, readonly Command[]])[] = [
    ['1,000 tcp', Array<Command>(1_000).fill(tcp)],
    [
      '950 tcp, 50 silent servers',
      [...Array<Command>(950).fill(tcp), ...Array<Command>(50).fill(hangs)],
    ],
    [
      '950 tcp, 50 scripts that sleep',
      [...Array<Command>(950).fill(tcp), ...Array<Command>(50).fill(sleeps)],
    ],
  ]
  const rows: Row[] = []
  for (const [name, commands] of mixes) rows.push(await measure(name, commands, seconds, 950))
  return rows
}

const repeated = (command: Command, count: number): readonly Command[] =>
  Array<Command>(count).fill(command)

const spec = (command: Command, i: number): CheckSpec => ({
  name: `c${i}`,
  command,
  runAs: null,
  ...{ intervalMs, timeoutMs: intervalMs, rise: 1, fall: 1 },
})

/** Lateness is of the first `counted` checks. */
async function measure(
  name: string,
  commands: readonly Command[],
  seconds: number,
  counted = commands.length,
): Promise<Row> {
  const server = await startServer()
  const pool = startCheckPool({ workers: 1, onEvent: () => undefined })
  try {
    pool.set(commands.map(spec))
    await delay(1_500)
    const from = performance.timeOrigin + performance.now()
    const before = cpuSeconds()
    await delay(seconds * 1_000)
    const cpu = cpuSeconds() - before
    const until = performance.timeOrigin + performance.now()
    const results = commands.map((_, i) =>
      unpackResults(pool.record(`c${i}`) ?? new Float64Array()).filter(
        ({ atMs }) => atMs >= from && atMs < until,
      ),
    )
    const runs = results.reduce((sum, { length }) => sum + length, 0)
    const bad = results
      .slice(0, counted)
      .reduce((sum, one) => sum + one.filter(({ outcome }) => outcome !== 'good').length, 0)
    const late = summarise(results.slice(0, counted).flatMap((r) => r.map((x) => x.latenessMs)))
    const took = (until - from) / 1_000
    return {
      checks: name,
      n: commands.length,
      'asked/s': Math.round((commands.length * 1_000) / intervalMs),
      'probes/s': Math.round(runs / took),
      'CPU %': Math.round((100 * cpu) / took),
      'µs/probe': Math.round((1e6 * cpu) / Math.max(1, runs)),
      'late p50 ms': late?.p50.toFixed(2) ?? '-',
      'p99 ms': late?.p99.toFixed(2) ?? '-',
      'max ms': late?.max.toFixed(1) ?? '-',
      'not good': bad,
    }
  } finally {
    await pool.stop()
    await server.stop()
  }
}

/** Of this process with its children that have ended. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6 + childSeconds()
}

/** What children that have ended cost, in steps of 10 ms. */
function childSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}

type Server = { stop(): Promise<void> }

async function startServer(): Promise<Server> {
  const child: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(new URL('./checks-server.js', import.meta.url))],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve)
    child.once('error', reject)
  })
  return {
    stop: async () => {
      child.kill('SIGKILL')
      await exit
    },
  }
}
