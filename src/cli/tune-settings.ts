/** `--set KEYWORD=VALUE`: another setting to replay, in the words of the configuration. */
import type { Timing } from '../report/observation.ts'

export type Settings = {
  readonly intervalMs?: number
  readonly fastIntervalMs?: number
  readonly downIntervalMs?: number
  readonly timeoutMs?: number
  readonly rise?: number
  readonly fall?: number
  readonly advertMs?: number
  readonly downTimerAdverts?: number
}

type Kind = { readonly to: keyof Settings; readonly factor: number; readonly whole: boolean }

const seconds = (to: keyof Settings): Kind => ({ to, factor: 1_000, whole: false })
const count = (to: keyof Settings): Kind => ({ to, factor: 1, whole: true })

const kinds: Readonly<Record<string, Kind>> = {
  interval: seconds('intervalMs'),
  fast_interval: seconds('fastIntervalMs'),
  down_interval: seconds('downIntervalMs'),
  timeout: seconds('timeoutMs'),
  advert_int: seconds('advertMs'),
  rise: count('rise'),
  fall: count('fall'),
  down_timer_adverts: count('downTimerAdverts'),
}

export const settingNames: readonly string[] = Object.keys(kinds)

/** Adds `KEYWORD=VALUE`; null when it is none. */
export function addSetting(text: string, before: Settings): Settings | null {
  const [, keyword = '', digits = ''] = /^(\w+)=(\d+(?:\.\d+)?)$/.exec(text) ?? []
  const kind = Object.hasOwn(kinds, keyword) ? kinds[keyword] : undefined
  const value = Number(digits)
  if (kind === undefined || !(value > 0) || (kind.whole && !Number.isInteger(value))) return null
  return { ...before, [kind.to]: value * kind.factor }
}

/** A timeout that is not configured follows the interval, as in the configuration. */
export function settle(timing: Timing, settings: Settings): Timing {
  const { intervalMs = timing.intervalMs, timeoutMs } = settings
  const followed = timing.timeoutMs === timing.intervalMs ? intervalMs : timing.timeoutMs
  return {
    intervalMs,
    fastIntervalMs: settings.fastIntervalMs ?? timing.fastIntervalMs,
    downIntervalMs: settings.downIntervalMs ?? timing.downIntervalMs,
    timeoutMs: timeoutMs ?? followed,
    rise: settings.rise ?? timing.rise,
    fall: settings.fall ?? timing.fall,
  }
}
