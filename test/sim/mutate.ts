/**
 * `npm run mutants [NAME…]`, `npm run mutants -- --new` for those that nothing has caught yet: each mutant is built and run under the simulator until a run breaks: what caught it the last
 * time first, then what catches others, then run after run. Prints a table; a mutant that survives, or a line to
 * change that is no longer there, fails. What catches a mutant is written to mutants/catchers.json.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Built, build } from './mutants/build.ts'
import { type Catcher, Catchers } from './mutants/catchers.ts'
import type { Mutant } from './mutants/mutant.ts'
import { mutants } from './mutants.ts'
import { isPart } from './simulation.ts'

/** Runs until the mutant must have been caught. */
const scan = { FROM: '4', RUNS: '150', HOURS: '1000000' }
const root = join(import.meta.dirname, '..', '..', '..')

type Outcome =
  | { readonly kind: 'caught'; readonly catcher: Catcher; readonly what: string }
  | { readonly kind: 'survived' }
  /** Nothing is known of it. */
  | { readonly kind: 'failed'; readonly why: string }

let running: ChildProcess | null = null
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    running?.kill('SIGKILL')
    process.exit(130)
  })

async function mutate(mutant: Mutant, catchers: Catchers): Promise<Outcome> {
  const scratch = mkdtempSync(join(tmpdir(), 'vipd-mutant-'))
  try {
    const built = build(root, scratch, mutant)
    for (const { seed, part } of catchers.tries(mutant)) {
      const outcome = await simulate(built, { SEED: `${seed}`, PART: part })
      if (outcome.kind !== 'survived') return outcome
    }
    return await simulate(built, scan)
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error) }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function simulate(
  { main, environment }: Built,
  runs: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const { stdout, stderr, status } = await output(main, { ...environment, ...runs })
  const what = /^BROKEN: (.*)$/m.exec(stdout)?.[1]
  const again = /again: SEED=(\d+) PART=(\S+)/.exec(stdout)
  const part = again?.[2]
  if (what !== undefined && isPart(part))
    return { kind: 'caught', catcher: { seed: Number(again?.[1]), part }, what }
  return status === 0 ? { kind: 'survived' } : { kind: 'failed', why: stderr }
}

function output(
  main: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly stdout: string; readonly stderr: string; readonly status: number | null }> {
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running = child
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ stdout, stderr, status }))
  })
}

function describe({ name, file }: Mutant, outcome: Outcome): string {
  if (outcome.kind === 'survived') return `ALIVE   ${name}\n        ${file}\n`
  if (outcome.kind === 'failed') return `FAILED  ${name}\n        ${file}: ${outcome.why}\n`
  const { catcher, what } = outcome
  const why = what.replace(/^Error: /, '').slice(0, 200)
  return `caught  ${name}\n        ${file}, SEED=${catcher.seed} PART=${catcher.part}: ${why}\n`
}

const wanted = process.argv.slice(2)
const catchers = new Catchers(root)
const chosen = mutants.filter(({ name }) =>
  wanted.includes('--new')
    ? !catchers.has(name)
    : wanted.length === 0 || wanted.some((part) => name.includes(part)),
)
let missed = 0
for (const mutant of chosen) {
  const outcome = await mutate(mutant, catchers)
  if (outcome.kind === 'caught') catchers.learn(mutant.name, outcome.catcher)
  else missed += 1
  process.stdout.write(describe(mutant, outcome))
}
process.stdout.write(`${chosen.length} mutants, ${missed} not caught\n`)
process.exitCode = missed === 0 ? 0 : 1
