/**
 * The test runner: `node dist/test/run.js [SUITE…]`. A suite is a folder of compiled `*.test.js` files. Being green
 * means that tests ran: a suite without a file, without a test, or with a skipped one fails. Everything happens in
 * namespaces of its own, so that it needs no root and touches nothing of the machine.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureNamespaces } from '../src/lab/namespaces.ts'

type Suite = {
  readonly name: string
  /** How many test files run at once. End-to-end tests mostly wait, but their daemons want to be on time. */
  readonly concurrency: number
  readonly required: boolean
  /** Needs more than the README's requirements: runs only when it is named. */
  readonly named?: true
  /** The files that take longest, in this order before the others: one that is begun last goes on alone. */
  readonly longest?: readonly string[]
  /** For a file; absent: `fileTimeoutMs`. */
  readonly timeoutMs?: number
}

const cores = availableParallelism()
const suites: readonly Suite[] = [
  // More of their time goes by in waiting, for a deadline, a process, the disk, than in work.
  { name: 'unit', concurrency: cores + 2, required: true },
  { name: 'rfc9568', concurrency: cores, required: true },
  { name: 'config', concurrency: cores, required: true },
  { name: 'native', concurrency: 2, required: true },
  { name: 'fuzz', concurrency: cores, required: true },
  { name: 'sim', concurrency: cores, required: true, longest: ['storms', 'silence'] },
  { name: 'golden', concurrency: 2, required: true },
  { name: 'e2e', concurrency: 3, required: true },
  // Alone: a flood fills queues that all namespaces of the kernel share.
  { name: 'flood', concurrency: 1, required: true },
  { name: 'lease', concurrency: 2, required: true, named: true },
  { name: 'frr', concurrency: 1, required: true, named: true },
  { name: 'metrics', concurrency: 1, required: true, named: true },
  { name: 'journal', concurrency: 1, required: true, named: true },
  { name: 'dbus', concurrency: 1, required: true, named: true },
  { name: 'page', concurrency: 1, required: true, named: true },
  { name: 'bfd', concurrency: 1, required: true, named: true },
  { name: 'snmp', concurrency: 1, required: true, named: true },
  // Its hand-overs and refusals take their time.
  { name: 'claims', concurrency: 1, required: true, named: true },
  { name: 'package', concurrency: 1, required: true, named: true, timeoutMs: 1_200_000 },
  { name: 'uml', concurrency: 1, required: true, named: true, timeoutMs: 1_200_000 },
]

type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }
type Outcome = Counts & {
  readonly name: string
  readonly files: number
  readonly seconds: number
  /** Why the suite fails although no test did. */
  readonly complaint: string | null
}

/** No test file takes so long; one that does hangs. */
const fileTimeoutMs = 400_000

/** In the order in which they begin. */
function testFiles({ name, longest = [] }: Suite): string[] {
  const folder = fileURLToPath(new URL(name, import.meta.url))
  const tests = namesIn(folder).filter((file) => file.endsWith('.test.js'))
  const first = longest.map((file) => `${file}.test.js`)
  const gone = first.filter((file) => !tests.includes(file))
  if (gone.length > 0) throw new Error(`${name} has no ${gone.join(', ')}`)
  const others = tests.filter((file) => !first.includes(file)).sort()
  return [...first, ...others].map((file) => join(folder, file))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
}

async function runSuite(suite: Suite, scratch: string): Promise<Outcome> {
  const files = testFiles(suite)
  const none = { name: suite.name, files: 0, seconds: 0, passed: 0, failed: 0, skipped: 0 }
  if (files.length === 0) {
    return { ...none, complaint: suite.required ? 'has no test file' : null }
  }
  const startMs = performance.now()
  const report = join(scratch, suite.name)
  const status = await runFiles(suite, files, report)
  const counts = count(readFileSync(`${report}.tap`, 'utf8'))
  const seconds = (performance.now() - startMs) / 1_000
  if (status !== 0) process.stdout.write(readFileSync(`${report}.txt`, 'utf8'))
  const outcome = { ...counts, name: suite.name, files: files.length, seconds }
  return { ...outcome, complaint: complaintAbout(counts, status) }
}

function complaintAbout(counts: Counts, status: number | null): string | null {
  if (counts.passed + counts.failed === 0) return 'ran no test'
  if (counts.skipped > 0) return 'skipped tests'
  if (status !== 0 && counts.failed === 0) return `ended with status ${status}`
  return null
}

/** Two reports: TAP to count, and the readable one, which is shown when something failed. */
function runFiles(suite: Suite, files: readonly string[], report: string): Promise<number | null> {
  const reporters = [
    ['--test-reporter=tap', `--test-reporter-destination=${report}.tap`],
    ['--test-reporter=spec', `--test-reporter-destination=${report}.txt`],
  ].flat()
  const limits = [
    `--test-concurrency=${suite.concurrency}`,
    `--test-timeout=${suite.timeoutMs ?? fileTimeoutMs}`,
  ]
  const args = ['--enable-source-maps', '--test', ...limits, ...reporters, ...files]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve(status))
  })
}

/** The last summary of a TAP report: `# pass 12`, `# fail 0`, … A cancelled test is a failed one. */
function count(tap: string): Counts {
  const number = (word: string): number => {
    const found = [...tap.matchAll(new RegExp(`^# ${word} (\\d+)$`, 'gm'))].at(-1)?.[1]
    return Number(found ?? 0)
  }
  return {
    passed: number('pass'),
    failed: number('fail') + number('cancelled'),
    skipped: number('skipped') + number('todo'),
  }
}

function row(cells: readonly (string | number)[]): string {
  const [name = '', ...numbers] = cells.map(String)
  return `${name.padEnd(10)}${numbers.map((cell) => cell.padStart(9)).join('')}`
}

function print(outcome: Outcome): void {
  const { name, files, passed, failed, skipped, seconds, complaint } = outcome
  const line = row([name, files, passed, failed, skipped, seconds.toFixed(1)])
  process.stdout.write(`${line}${complaint === null ? '' : `   ${name} ${complaint}`}\n`)
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name))
  if (unknown.length > 0) throw new Error(`no such suite: ${unknown.join(', ')}`)
  const wanted = suites.filter((suite) =>
    names.length === 0 ? suite.named !== true : names.includes(suite.name),
  )
  const scratch = mkdtempSync(join(tmpdir(), 'vipd-test-'))
  const outcomes: Outcome[] = []
  process.stdout.write(`${row(['suite', 'files', 'passed', 'failed', 'skipped', 'seconds'])}\n`)
  try {
    for (const suite of wanted) {
      const outcome = await runSuite(suite, scratch)
      print(outcome)
      outcomes.push(outcome)
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((n, o) => n + pick(o), 0)
  const [passed, failed, skipped] = [
    sum((o) => o.passed),
    sum((o) => o.failed),
    sum((o) => o.skipped),
  ]
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
  return failed === 0 && outcomes.every((o) => o.complaint === null) ? 0 : 1
}

ensureNamespaces()
process.exitCode = await main(process.argv.slice(2))
