/** Sets back what a dead vipd changed of links that are not vipd's, as its record names it. */
import { OpError } from '../base/errors.ts'
import type { Link } from '../wire/rtnetlink-link.ts'
import { encodeLinkGet } from '../wire/rtnetlink-settings.ts'
import {
  describeSetting,
  linkIn,
  type Neighbours,
  restoration,
  settingsOf,
} from './link-settings.ts'
import type { ChangedSetting } from './marks.ts'
import { objectsOf } from './ours.ts'
import type { Survey } from './survey.ts'
import type { Request } from './sweep-types.ts'

export type SweptSettings = {
  /** One phrase each: 'arp_ignore of eth0 to 0'. */
  readonly restored: readonly string[]
  readonly left: readonly { readonly text: string; readonly why: string }[]
  readonly failed: readonly (ChangedSetting & { readonly why: string })[]
}

export function sweepSettings(survey: Survey, request: Request): SweptSettings {
  const restored: string[] = []
  const left: SweptSettings['left'][number][] = []
  const failed: SweptSettings['failed'][number][] = []
  const others = neighbourSettings(survey)
  for (const it of settingsOf(objectsOf(survey.own, survey.scope))) {
    try {
      const found = restoration(it, readLink(it.ifindex, request), others)
      if (found.kind === 'left') left.push({ text: describeSetting(it), why: found.why })
      if (found.kind !== 'set') continue
      request(found.request)
      restored.push(`${describeSetting(it)} to ${it.original}`)
    } catch (error) {
      if (!(error instanceof OpError)) throw error
      failed.push({ ...it, why: error.message })
    }
  }
  return { restored, left, failed }
}

export const neighbourSettings = ({ neighbours, scope }: Survey): readonly Neighbours[] =>
  neighbours.map(({ runDir, record }) => ({
    runDir,
    settings: settingsOf(objectsOf(record, scope)),
  }))

function readLink(ifindex: number, request: Request): Link | null {
  try {
    return linkIn(request(encodeLinkGet(ifindex)))
  } catch (error) {
    if (error instanceof OpError && error.code === 'ENODEV') return null
    throw error
  }
}
