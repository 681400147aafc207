/** How the page says times and spans. */

/** '0.4 s', '12 s', '3 min', '4 h 10 min', '3 d 4 h'. */
export function spanText(ms: number): string {
  const s = Math.max(0, ms) / 1_000
  if (s < 0.0995) return `${Math.round(s * 1_000)} ms`
  if (s < 9.95) return `${s.toFixed(1)} s`
  if (s < 100) return `${Math.round(s)} s`
  const minutes = Math.floor(s / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'min')
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

const pair = (large: number, unit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`

/** '0.23 ms', '2.1 ms', '104 ms', '3.6 s': what was measured, with two or three digits. */
export function measuredText(ms: number): string {
  if (ms >= 1_000) return `${trimmed(ms / 1_000)} s`
  return `${trimmed(ms)} ms`
}

const trimmed = (value: number): string => {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return String(Number(value.toFixed(digits)))
}

const two = (n: number): string => String(n).padStart(2, '0')

/** In the reader's own time zone: '03:12:05', on another day '11-27 03:12:05'. */
export function clockText(atMs: number, nowMs: number): string {
  const at = new Date(atMs)
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const sameDay = at.toDateString() === new Date(nowMs).toDateString()
  return sameDay ? time : `${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`
}

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`
