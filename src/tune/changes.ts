/** What was proposed, in the keywords of the configuration. */
import type { Adverts, Timing } from '../report/observation.ts'
import type { Advice } from './advice.ts'
import type { BlockChange } from './patch.ts'
import { seconds } from './report.ts'

export function changesOf({ checks, instances }: Advice): readonly BlockChange[] {
  return [
    ...checks.flatMap(({ check, choice }): BlockChange[] =>
      // Tracked processes and files have no interval to write.
      choice.kind === 'none' || check.name.includes('/')
        ? []
        : [
            {
              keyword: 'vrrp_script',
              name: check.name,
              set: timingLines(check.timing, choice.setting),
            },
          ],
    ),
    ...instances.flatMap(({ instance, choice }): BlockChange[] =>
      choice.kind === 'none'
        ? []
        : [
            {
              keyword: 'vrrp_instance',
              name: instance.name,
              set: advertLines(instance.adverts, choice.setting),
            },
          ],
    ),
  ]
}

type Lines = BlockChange['set']

/** Only what differs. The timeout is said whenever the interval changes: unsaid it would follow it. */
function timingLines(before: Timing, after: Timing): Lines {
  const fast = after.fastIntervalMs ?? after.intervalMs
  const wanted: readonly (readonly [string, string, boolean])[] = [
    ['interval', seconds(after.intervalMs), after.intervalMs !== before.intervalMs],
    ['fast_interval', seconds(fast), after.fastIntervalMs !== before.fastIntervalMs],
    [
      'timeout',
      seconds(after.timeoutMs),
      after.timeoutMs !== before.timeoutMs || after.intervalMs !== before.intervalMs,
    ],
    ['fall', String(after.fall), after.fall !== before.fall],
  ]
  return wanted.flatMap(([keyword, value, differs]) => (differs ? [[keyword, value] as const] : []))
}

function advertLines(before: Adverts, after: Adverts): Lines {
  const wanted: readonly (readonly [string, string, boolean])[] = [
    ['advert_int', seconds(after.advertMs), after.advertMs !== before.advertMs],
    [
      'down_timer_adverts',
      String(after.downTimerAdverts),
      after.downTimerAdverts !== before.downTimerAdverts,
    ],
  ]
  return wanted.flatMap(([keyword, value, differs]) => (differs ? [[keyword, value] as const] : []))
}
