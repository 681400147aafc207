/** The metrics of a route (RTAX_*): what the kernel is told about the path. */
import type { Word } from '../language/tree-types.ts'
import type { RouteDraft } from './route-draft.ts'
import type { RoutingWords } from './routing-words.ts'

type Metric = {
  readonly number: number
  readonly max?: number
  /** So many to the millisecond, for a time that may have a unit. */
  readonly perMs?: number
  /** `lock` may stand before the value. */
  readonly lock?: true
}

const metrics: Readonly<Record<string, Metric>> = {
  mtu: { number: 2, lock: true },
  window: { number: 3 },
  rtt: { number: 4, lock: true, perMs: 8 },
  rttvar: { number: 5, lock: true, perMs: 4 },
  ssthresh: { number: 6, lock: true },
  cwnd: { number: 7, lock: true },
  advmss: { number: 8, lock: true },
  reordering: { number: 9, lock: true },
  hoplimit: { number: 10, max: 255 },
  initcwnd: { number: 11 },
  rto_min: { number: 13, lock: true, perMs: 1 },
  initrwnd: { number: 14 },
  quickack: { number: 15, max: 1 },
  fastopen_no_cookie: { number: 17, max: 1 },
}
const features = { number: 12, ecn: 1 }
const congestionControl = 16
const u32Max = 0xffff_ffff

/** False: the word is no metric. */
export function readMetric(route: RouteDraft, word: Word, words: RoutingWords): boolean {
  if (word.text === 'features') {
    const value = words.value(word)
    if (value.text !== 'ecn') words.drop(value, 'unknown-word', `${value.text} is no feature`)
    set(route, features.number, features.ecn)
    return true
  }
  if (word.text === 'congctl') {
    lock(route, congestionControl, words)
    set(route, congestionControl, words.value(word).text)
    return true
  }
  const metric = Object.hasOwn(metrics, word.text) ? metrics[word.text] : undefined
  if (metric === undefined) return false
  if (metric.lock === true) lock(route, metric.number, words)
  const value =
    metric.perMs === undefined
      ? words.number(word, 0, metric.max ?? u32Max)
      : time(word, metric.perMs, words)
  set(route, metric.number, value)
  return true
}

function lock(route: RouteDraft, number: number, words: RoutingWords): void {
  if (words.skip('lock')) route.locked |= 1 << number
}

/** The last of one kind counts. */
function set(route: RouteDraft, number: number, value: number | string): void {
  const others = route.metrics.filter((it) => it.number !== number)
  route.metrics = [...others, { number, value }].sort((a, b) => order(a.number) - order(b.number))
}

/** keepalived begins with the name of the congestion control. */
const order = (number: number): number => (number === congestionControl ? 0 : number)

/** TCP has no use for less or more, as keepalived has it; milliseconds. */
const useful = { least: 200, most: 120_000 }

/**
 * Raw units of the kernel, or a time with a unit. keepalived measures what is too large by its units (480 s of rttvar, as
 * 480,000 of its quarters of a millisecond) and leaves such a route out; what is merely not useful is brought into bounds.
 */
function time(of: Word, perMs: number, words: RoutingWords): number {
  const word = words.value(of)
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)(s|secs?|ms|msecs?)?$/.exec(word.text) ?? []
  const ms = Number(amount) * (unit.startsWith('s') ? 1_000 : unit === '' ? 1 / perMs : 1)
  const largest = unit === '' ? useful.most : useful.most * perMs
  if (amount === '' || ms > largest) {
    const message = `${of.text} ${word.text} is no time up to ${largest / 1_000} s`
    return words.drop(word, 'bad-number', message)
  }
  if (unit === '' && amount.includes('.')) {
    const message = `${of.text} ${word.text} has a fraction, which takes a unit (s, ms); it is cut`
    words.lowering.error(word, 'bad-number', message)
  }
  const used = Math.min(Math.max(Math.floor(ms * perMs) / perMs, useful.least), useful.most)
  if (ms < useful.least || ms > useful.most) {
    const message = `${of.text} ${word.text} is not in 200 ms..120 s; ${used} ms is used`
    words.lowering.warning(word, 'bad-number', message)
  }
  return used * perMs
}
