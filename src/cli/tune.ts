/**
 * `vipd tune`: what the intervals of this machine mean, which ones reach a time and a rate, and what others would have made
 * of what was recorded.
 */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import { ControlError, requestObservation } from '../control/client.ts'
import { type Observation, since } from '../report/observation.ts'
import { advise } from '../tune/advice.ts'
import { budgetOf } from '../tune/budget.ts'
import { tunePage } from '../tune/picture.ts'
import type { Target } from '../tune/recommend.ts'
import { replayAdverts, replayCheck } from '../tune/replay.ts'
import { reportAdvice, reportBudget, reportReplay } from '../tune/report.ts'
import { BadObservation, readObservation, saveObservation } from '../tune/saved.ts'
import { asking } from './ask.ts'
import { exit } from './exit.ts'
import { claimDirectory } from './make-directory.ts'
import { daemonSocket } from './trusted-directory.ts'
import { observeAlone, requireChecks, UnknownCheck } from './tune-alone.ts'
import { proposePatch } from './tune-patch.ts'
import { type Settings, settle } from './tune-settings.ts'

export type TuneOptions = {
  readonly names: readonly string[]
  readonly configPath: string
  /** It was named; else a proposal is for the file that the daemon runs with. */
  readonly configGiven: boolean
  readonly language: LanguageOptions
  readonly runDir: string
  /** null: what the daemon has recorded already. */
  readonly observeMs: number | null
  /** Asks the checks itself, so often, while it observes. */
  readonly everyMs: number | null
  readonly target: Target | null
  readonly replay: string | null
  readonly settings: Settings
  readonly save: string | null
  readonly out: string | null
}

/** A stand-alone observation has to last a while. */
const aloneMs = 30_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)

export const tune = (options: TuneOptions): Promise<number> => asking(() => observeAndTell(options))

async function observeAndTell(options: TuneOptions): Promise<number> {
  try {
    prepare(options)
    const seen = await observation(options)
    requireChecks(options.names, seen.checks)
    if (options.save !== null) writeFileSync(options.save, saveObservation(seen))
    return options.replay === null ? propose(seen, options) : replay(seen, options)
  } catch (error) {
    if (error instanceof UnknownCheck) return fail(error.message, exit.usage)
    if (error instanceof BadObservation)
      return fail(`${options.replay ?? options.configPath}: ${error.message}`, exit.usage)
    if (error instanceof Error && 'syscall' in error) return fail(error.message, exit.usage)
    throw error
  }
}

/** A file that cannot be written is reported before the wait. */
function prepare({ save, out }: TuneOptions): void {
  if (save !== null) closeSync(openSync(save, 'a'))
  if (out !== null) claimDirectory(out)
}

function fail(message: string, status: number): number {
  process.stderr.write(`vipd tune: ${message}\n`)
  return status
}

async function observation(options: TuneOptions): Promise<Observation> {
  const { names, observeMs, replay: file } = options
  const wanted = (name: string) => names.length === 0 || names.includes(name)
  if (file !== null) {
    const saved = readObservation(readFileSync(file, 'utf8'))
    return { ...saved, checks: saved.checks.filter(({ name }) => wanted(name)) }
  }
  const path = daemonSocket(options.runDir, 'read')
  // Asked before the wait: without a daemon the wait would be for nothing.
  const before = await askDaemon(path, wanted)
  if (typeof before === 'string') {
    const what = `running the checks of ${options.configPath} here, without adverts`
    process.stderr.write(`vipd tune: ${before}; ${what}\n`)
    return observeAlone({ ...options, wanted, observeMs: observeMs ?? aloneMs })
  }
  requireChecks(names, before.checks)
  if (observeMs === null) return before
  const configPath = fileFor(options, before)
  const own = await meanwhile({ ...options, configPath }, wanted, observeMs)
  const after = await requestObservation(path, wanted)
  const seen = since(before, after)
  return own === null ? seen : { ...seen, checks: own.checks }
}

/** Or why there is none. */
async function askDaemon(
  path: string,
  wanted: (name: string) => boolean,
): Promise<Observation | string> {
  try {
    return await requestObservation(path, wanted)
  } catch (error) {
    if (error instanceof ControlError && error.failure === 'unreachable') return error.message
    throw error
  }
}

/** The file that was named, or that the daemon runs with. */
const fileFor = (options: TuneOptions, seen: Observation): string =>
  options.configGiven ? options.configPath : seen.configPath

/** Waits, or asks by itself more often than the daemon does: null, or what it was answered. */
async function meanwhile(
  options: TuneOptions,
  wanted: (name: string) => boolean,
  observeMs: number,
): Promise<Observation | null> {
  if (options.everyMs !== null) return await observeAlone({ ...options, wanted, observeMs })
  await new Promise((resolve) => setTimeout(resolve, observeMs))
  return null
}

function propose(seen: Observation, options: TuneOptions): number {
  const budget = budgetOf(seen)
  say(reportBudget(seen, budget))
  const { target, out } = options
  const advice = target === null ? null : advise(seen, budget, target)
  let reached = true
  if (advice !== null && target !== null) {
    say(`\n${reportAdvice(advice, target)}`)
    const choices = [...advice.checks, ...advice.instances].map(({ choice }) => choice)
    reached = choices.every(({ kind }) => kind === 'found')
    const { patch, verdict } = proposePatch(advice, {
      ...options,
      configPath: fileFor(options, seen),
    })
    if (patch !== '') say(`\n${patch}`)
    say(verdict)
    if (out !== null && patch !== '') writeFileSync(join(out, 'tune.patch'), patch)
  }
  if (out !== null) writeFileSync(join(out, 'tune.html'), tunePage(seen.host, budget, advice))
  return reached ? exit.ok : exit.degraded
}

function replay(seen: Observation, { settings }: TuneOptions): number {
  const checks = seen.checks.filter(({ tunable }) => tunable)
  const seconds = (seen.untilMs - seen.fromMs) / 1_000
  say(`${seen.host}, ${new Date(seen.fromMs).toISOString()}, ${Math.round(seconds)} s`)
  say(
    reportReplay(
      checks.map((check) => replayCheck(check, settle(check.timing, settings))),
      seen.instances.map((one) =>
        replayAdverts(one, {
          ...one.adverts,
          advertMs: settings.advertMs ?? one.adverts.advertMs,
          downTimerAdverts: settings.downTimerAdverts ?? one.adverts.downTimerAdverts,
        }),
      ),
    ),
  )
  return exit.ok
}
