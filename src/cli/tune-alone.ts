/** The checks of a configuration, run by this process for a while. It hears no adverts. */
import { hostname } from 'node:os'
import { startCheckPool } from '../checks/pool/pool.ts'
import { unpackResults } from '../checks/verdict/record.ts'
import { checkReport } from '../config/explain/check.ts'
import { trackersOf } from '../config/explain/print-arithmetic.ts'
import type { LanguageOptions } from '../config/language/tree-types.ts'
import type { Config } from '../config/types.ts'
import { checkSpecs } from '../daemon/check-specs.ts'
import { realMachine } from '../loading/machine.ts'
import type { Observation, ObservedInstance } from '../report/observation.ts'
import { observedCheck } from '../router/dispatch/observe.ts'
import { BadObservation } from '../tune/saved.ts'

export async function observeAlone(options: {
  readonly configPath: string
  readonly language: LanguageOptions
  readonly names: readonly string[]
  readonly wanted: (name: string) => boolean
  readonly observeMs: number
  /** How often each check is asked; null: as it is configured. */
  readonly everyMs: number | null
}): Promise<Observation> {
  const { config } = checkReport(options.configPath, realMachine(), options.language)
  if (config === null) throw new BadObservation('the configuration cannot run; vipd check says why')
  requireChecks(options.names, config.scripts)
  const scripts = config.scripts.filter(({ name }) => options.wanted(name))
  const fromMs = Date.now()
  const pool = startCheckPool({ workers: 1, onEvent: () => undefined })
  try {
    pool.set(checkSpecs(scripts).map((spec) => ({ ...spec, ...paceFor(options.everyMs) })))
    await new Promise((resolve) => setTimeout(resolve, options.observeMs))
    return {
      schema: 1,
      host: hostname(),
      configPath: options.configPath,
      fromMs,
      untilMs: Date.now(),
      checks: scripts.map((script) => ({
        ...observedCheck(script),
        results: unpackResults(pool.record(script.name) ?? new Float64Array()),
      })),
      instances: config.instances.map((instance) => unheard(instance, config)),
    }
  } finally {
    await pool.stop()
  }
}

/** A timeout is not shortened: the answer's whole time is wanted. */
const paceFor = (everyMs: number | null) =>
  everyMs === null
    ? {}
    : { intervalMs: everyMs, fastIntervalMs: everyMs, downIntervalMs: everyMs, initialDelayMs: 0 }

function unheard(instance: Config['instances'][number], config: Config): ObservedInstance {
  return {
    name: instance.name,
    state: 'not running',
    adverts: {
      version: instance.version,
      advertMs: instance.advertIntervalUs / 1_000,
      downTimerAdverts: instance.downTimerAdverts,
      heirPriority: instance.priority,
    },
    resignsOnDemotion: instance.resignOnDemotion,
    tracks: trackersOf(instance, config).scripts.map(({ name, weight }) => ({ name, weight })),
    gaps: null,
  }
}

export class UnknownCheck extends Error {}

/** Before anything is observed. Throws UnknownCheck. */
export function requireChecks(
  names: readonly string[],
  known: readonly { readonly name: string }[],
): void {
  const missing = names.find((name) => !known.some((one) => one.name === name))
  if (missing !== undefined) throw new UnknownCheck(`no check is called ${missing}`)
}
