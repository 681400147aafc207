/**
 * What would detect a dead master sooner, and be fooled less: the two settings of the protocol that are seldom used. Advice,
 * with both figures, for the report of `vipd check`; it is no diagnostic, because nothing is wrong.
 */
import { us } from '../../base/time.ts'
import type { Config, Instance } from '../types.ts'
import { arithmetic, downIntervalUs, skewUs } from './print-arithmetic.ts'

/** Fewer milliseconds than this are not worth a sentence. */
const worthUs = 50_000
const adverts = 10
/** Version 3 says its interval in 12 bits of centiseconds (RFC 9568 section 5.2). */
const shortestUs = 10_000
const lossShare = 0.01

/** One sentence each; empty when there is nothing to gain. */
export function hints(instance: Instance, config: Config): readonly string[] {
  if (instance.priority === 255) return []
  return [...moreAdverts(instance), ...shorterSkew(instance, config)]
}

/** Ten adverts within at most a second, in place of three: sooner, and ten must be lost in a row. */
function moreAdverts(instance: Instance): readonly string[] {
  const { version, priority, advertIntervalUs, downTimerAdverts } = instance
  if (version !== 3 || downTimerAdverts >= adverts) return []
  const silence = Math.min(downTimerAdverts * advertIntervalUs, 1_000_000)
  const shorter = Math.floor(silence / adverts / shortestUs) * shortestUs
  if (shorter < shortestUs) return []
  const many = { ...instance, advertIntervalUs: us(shorter), downTimerAdverts: adverts }
  const now = downIntervalUs(instance, priority)
  const then = downIntervalUs(many, priority)
  if (then >= now) return []
  const falsely = (span: number, count: number) => often(falsePerDay(span, count))
  return [
    `advert_int ${seconds(shorter)} with down_timer_adverts ${adverts}, on all hosts: takes over ${seconds(then)} s after the last advert instead of ${seconds(now)} s, and if ${lossShare * 100} % of the adverts are lost, by mistake ${falsely(shorter, adverts)} instead of ${falsely(advertIntervalUs, downTimerAdverts)}`,
  ]
}

/** Where no weights need the room: 254 for the master and 253 for its backup. */
function shorterSkew(instance: Instance, config: Config): readonly string[] {
  const { priority } = instance
  const now = skewUs(instance, priority)
  const then = skewUs(instance, best)
  if (arithmetic(instance, config).contributions.length > 0 || now - then < worthUs) return []
  return [
    `priorities close to 254 shorten the skew: as the backup of a master with 254, priority ${best} waits ${seconds(then)} s instead of ${seconds(now)} s, after a resignation as after silence`,
  ]
}

const best = 253

/** Independent losses: `count` in a row, of 86,400 s of adverts. Bursts are another matter. */
const falsePerDay = (intervalUs: number, count: number): number =>
  (86_400_000_000 / intervalUs) * lossShare ** count * (1 - lossShare)

function often(perDay: number): string {
  const days = 1 / perDay
  if (days < 1) return `${Number(perDay.toPrecision(2))} times a day`
  if (days < 1.5) return 'once a day'
  if (days < 730) return `once in ${Math.round(days)} days`
  const years = days / 365
  return years > 1e6
    ? 'less than once in a million years'
    : `once in ${Number(years.toPrecision(2)).toLocaleString('en')} years`
}

const seconds = (us: number): string => `${Number((us / 1_000_000).toFixed(3))}`
