/** `vipd probe`: runs one configured check now, so many times, and says what each run took. */
import { summarise } from '../base/statistics.ts'
import { type Once, runOnce } from '../checks/pool/once.ts'
import { describeResult, succeeded } from '../checks/verdict/describe.ts'
import { checkReport } from '../config/explain/check.ts'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import { describeCommand } from '../config/scripts/command.ts'
import { checkSpecs } from '../daemon/check-specs.ts'
import { realMachine } from '../loading/machine.ts'
import { exit } from './exit.ts'
import { printable, printableLines } from './format.ts'
import { outputIsGone } from './output.ts'

export type ProbeOptions = {
  readonly configPath: string
  readonly language: LanguageOptions
  readonly name: string
  readonly n: number
}

/** No daemon is asked and none is disturbed. Status 0: every run was good; 1: not; 3: no check has that name. */
export async function probeNow(options: ProbeOptions): Promise<number> {
  // A check is asked wherever the configuration lies, on a host without its interfaces too.
  const anyInterface = { ...realMachine(), interfaceExists: () => true }
  const report = checkReport(options.configPath, anyInterface, options.language)
  if (report.config === null) {
    const { configPath } = options
    process.stderr.write(`vipd probe: ${configPath} cannot run: vipd check ${configPath}\n`)
    return exit.usage
  }
  const specs = checkSpecs(report.config.scripts)
  const spec = specs.find(({ name }) => name === options.name)
  if (spec === undefined) {
    const known = specs.map(({ name }) => name).join(', ') || 'none'
    process.stderr.write(
      `vipd probe: no tracked check is called ${options.name}; there are: ${known}\n`,
    )
    return exit.usage
  }
  process.stdout.write(`${printable(`${spec.name}: ${describeCommand(spec.command)}`)}\n`)
  const runs: Once[] = []
  for (let i = 0; i < options.n && !outputIsGone(); i++) {
    const run = await runOnce(spec)
    process.stdout.write(`${printableLines(describeRun(spec.name, run))}\n`)
    runs.push(run)
  }
  process.stdout.write(`${distribution(runs)}\n`)
  return runs.every(({ outcome }) => succeeded(outcome)) ? exit.ok : exit.degraded
}

const ms = (value: number): string => `${value.toFixed(2)} ms`

function describeRun(name: string, { outcome, durationMs, phases }: Once): string {
  const what = describeResult({ name, outcome, output: '', durationMs })
  const steps = phases.map(({ phase, tookMs }) => `${phase} ${ms(tookMs)}`)
  return `  ${[what, ...steps, `total ${ms(durationMs)}`].join('  ')}`
}

function distribution(runs: readonly Once[]): string {
  const good = runs.filter(({ outcome }) => succeeded(outcome)).length
  const took = summarise(runs.map(({ durationMs }) => durationMs))
  if (took === null) return 'no run'
  const { min, p50, p99, max } = took
  const spread = `min ${ms(min)}, median ${ms(p50)}, 99 % ${ms(p99)}, max ${ms(max)}`
  return `${good} of ${runs.length} good; ${spread}`
}
