/**
 * `npm run sim`: runs of the simulator from a seed of the day, each with its seed printed.
 *
 *   SEED=n    exactly that run again, with the trace of its last moments
 *   PART=x    of that run nothing but: life, attack, encounters, whole-faults, claims, upgrades, ah
 *   HOURS=n   goes on until so many simulated hours are done (default 1,000)
 *   FROM=n    the first seed
 *   RUNS=n    at most so many runs
 */
import { randomInt } from 'node:crypto'
import { isPart, type RunResult, run } from './simulation.ts'

const number = (name: string): number | null => {
  const text = process.env[name]
  if (text === undefined || text === '') return null
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name}=${text} is not a number`)
  return value
}

function line({ seed, scenario, hours, faults, transitions, digest }: RunResult): string {
  const { profile, version, family, advertUs, grouped, hosts } = scenario
  const what = `${profile}, ${hosts.length} hosts, v${version}, IPv${family}, advert_int ${advertUs / 1e6}${grouped ? ', sync group' : ''}`
  return `SEED=${seed} ${what}: ${hours.toFixed(1)} h, ${faults} faults, ${transitions} changes, digest ${digest.toString(16)}`
}

function report(result: RunResult): void {
  process.stdout.write(`${line(result)}\n`)
  if (result.broken === null) return
  const { part, what, trace } = result.broken
  process.stdout.write(`${trace.join('\n')}\n\nBROKEN: ${what}\n`)
  process.stdout.write(`again: SEED=${result.seed} PART=${part} npm run sim\n`)
}

function soak(from: number, hoursWanted: number, runsMax: number): boolean {
  const startMs = performance.now()
  let hours = 0
  let faults = 0
  let runs = 0
  for (let seed = from; hours < hoursWanted && runs < runsMax; seed++) {
    const result = run(seed)
    report(result)
    if (result.broken !== null) return false
    hours += result.hours
    faults += result.faults
    runs += 1
  }
  const seconds = (performance.now() - startMs) / 1_000
  process.stdout.write(
    `${runs} runs, ${hours.toFixed(0)} simulated hours, ${faults} faults in ${seconds.toFixed(1)} s\n`,
  )
  return true
}

const seed = number('SEED')
if (seed !== null) {
  const part = process.env['PART'] ?? null
  if (part !== null && !isPart(part)) throw new Error(`PART=${part} is no part of a run`)
  const result = run(seed, part)
  report(result)
  process.exitCode = result.broken === null ? 0 : 1
} else {
  const from = number('FROM') ?? randomInt(1_000_000_000)
  const good = soak(from, number('HOURS') ?? 1_000, number('RUNS') ?? Number.POSITIVE_INFINITY)
  process.exitCode = good ? 0 : 1
}
