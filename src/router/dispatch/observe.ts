/** What the daemon has seen of its checks and of its peers, for the choice of intervals. */
import { hostname } from 'node:os'
import type { CheckPool } from '../../checks/verdict/pool-contract.ts'
import { unpackResults } from '../../checks/verdict/record.ts'
import { trackersOf } from '../../config/explain/print-arithmetic.ts'
import { describeCommand } from '../../config/scripts/command.ts'
import type { Config, Script } from '../../config/types.ts'
import type { Engine } from '../../engine/contract.ts'
import type { AdvertGaps } from '../../engine/counters.ts'
import { gapBucketFromUs } from '../../engine/gaps.ts'
import type { SlotId } from '../../engine/order.ts'
import type { Observation, ObservedCheck, ObservedInstance } from '../../report/observation.ts'
import { type Recent, type RecentNames, recentCheck, recentInstance } from '../../report/recent.ts'
import type { RunningInstance } from './instance.ts'

export type ObserveSources = {
  readonly configPath: string
  readonly config: Config
  readonly instances: readonly RunningInstance[]
  readonly engine: Engine
  readonly gaps: (slot: SlotId) => AdvertGaps
  /** Milliseconds since 1970. */
  readonly startedMs: number
  readonly wallMs: number
}

/** Everything but the results of the checks, which are asked for one by one. */
export function observe(from: ObserveSources): Observation {
  return {
    schema: 1,
    host: hostname(),
    configPath: from.configPath,
    fromMs: from.startedMs,
    untilMs: from.wallMs,
    checks: from.config.scripts.map(observedCheck),
    instances: from.instances.map((it) => observedInstance(it, from)),
  }
}

/** What is named, and no more of it than is asked for. */
export function observeRecent(
  from: ObserveSources,
  pool: Pick<CheckPool, 'record'>,
  names: RecentNames,
): Recent {
  const [instances, checks] = [new Set(names.instances), new Set(names.checks)]
  return {
    schema: 1,
    instances: from.instances
      .filter(({ cfg }) => instances.has(cfg.name))
      .map((it) => recentInstance(observedInstance(it, from))),
    checks: from.config.scripts
      .filter(({ name }) => checks.has(name))
      .map((script) =>
        recentCheck(observedCheck(script), unpackResults(pool.record(script.name) ?? noResults)),
      ),
  }
}

const noResults = new Float64Array(0)

/** Its interval can be chosen: others neither tell it when nor make it up. */
const isTunable = ({ run: { command } }: Script): boolean =>
  command.kind !== 'push' && command.kind !== 'combination'

export const observedCheck = (script: Script): ObservedCheck => ({
  name: script.name,
  how: describeCommand(script.run.command),
  tunable: isTunable(script),
  timing: {
    intervalMs: script.intervalUs / 1_000,
    fastIntervalMs: script.fastIntervalUs === null ? null : script.fastIntervalUs / 1_000,
    downIntervalMs: script.downIntervalUs === null ? null : script.downIntervalUs / 1_000,
    timeoutMs: script.timeoutUs / 1_000,
    rise: script.rise,
    fall: script.fall,
  },
  results: [],
})

function observedInstance(
  { cfg, state, slot, binding, machine }: RunningInstance,
  { config, engine, gaps: gapsOf, wallMs }: ObserveSources,
): ObservedInstance {
  const peer = machine.peer?.priority ?? null
  const heirPriority = state.kind === 'master' ? (peer ?? cfg.priority) : machine.effective
  const gaps = binding.link === null ? null : gapsOf(slot)
  return {
    name: cfg.name,
    state: state.kind,
    adverts: {
      version: cfg.version,
      advertMs: cfg.advertIntervalUs / 1_000,
      downTimerAdverts: cfg.downTimerAdverts,
      heirPriority,
    },
    resignsOnDemotion: cfg.resignOnDemotion,
    tracks: trackersOf(cfg, config).scripts.map(({ name, weight }) => ({ name, weight })),
    gaps: gaps === null ? null : observedGaps(gaps, engine, wallMs),
  }
}

function observedGaps(
  { histogram, long }: AdvertGaps,
  engine: Engine,
  wallMs: number,
): ObservedInstance['gaps'] {
  if (histogram.every((count) => count === 0)) return null
  const now = engine.now()
  return {
    histogram: histogram.map((count, i) => ({ fromMs: gapBucketFromUs(i) / 1_000, count })),
    long: long.map(({ atUs, gapUs }) => ({
      atMs: wallMs - (now - atUs) / 1_000,
      gapMs: gapUs / 1_000,
    })),
  }
}
