/** A master whose interface is down sends nothing: it must count as down before its peers take over. */
import { us } from '../../base/time.ts'
import type { Lowering } from '../draft/report.ts'
import { spanText } from '../grammar/kinds.ts'
import type { Instance, InterfaceDelay } from '../types.ts'

/** As keepalived cuts it: the adverts that may be missing, less the shortest skew. */
const longestUs = ({ downTimerAdverts, advertIntervalUs }: Instance): number =>
  Math.max(0, (downTimerAdverts - 1) * advertIntervalUs - Math.floor(advertIntervalUs / 256))

export const finishInterfaceDelays = (
  instances: readonly Instance[],
  lowering: Lowering,
): readonly InterfaceDelay[] =>
  [...lowering.globals.interfaceDelays.values()].map((delay) => cut(delay, instances, lowering))

function cut(
  delay: InterfaceDelay,
  instances: readonly Instance[],
  lowering: Lowering,
): InterfaceDelay {
  const bounds = instances
    .filter((one) => one.interface === delay.interface)
    .map((one) => ({ name: one.name, longest: longestUs(one) }))
  const least = bounds.reduce<(typeof bounds)[number] | null>(
    (a, b) => (a === null || b.longest < a.longest ? b : a),
    null,
  )
  if (least === null || delay.downUs <= least.longest) return delay
  const message = `${delay.interface} counts as down after ${spanText(least.longest)}, not ${spanText(delay.downUs)}: a peer of ${least.name} would take over meanwhile`
  lowering.warning(delay.place, 'delay-cut', message)
  return { ...delay, downUs: us(least.longest) }
}
