/** The metrics of a route (RTAX_*): what the kernel is told about the path. */
import type { Word } from '../language/tree-types.ts'
import type { RouteDraft } from './routes.ts'
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

/** Raw units of the kernel, or a time with a unit. */
function time(of: Word, perMs: number, words: RoutingWords): number {
  const word = words.value(of)
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)(s|secs?|ms|msecs?)?$/.exec(word.text) ?? []
  const scale = unit === '' ? 1 : perMs * (unit.startsWith('s') ? 1_000 : 1)
  const value = Math.round(Number(amount) * scale)
  if (amount !== '' && value <= u32Max) return value
  return words.drop(word, 'bad-number', `${of.text} ${word.text} is no time`)
}
