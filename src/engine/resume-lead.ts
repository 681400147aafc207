/**
 * A lead that another process began, for an engine that takes it over: nothing is done at once, what repeats goes on in
 * the phase that it had, and what was to be done a few times and is done does not begin again.
 */
import { type Us, us } from '../base/time.ts'
import type { Lead, Repeat } from './order.ts'

export type LeadBefore = {
  readonly now: Us
  /** When it began. */
  readonly since: Us
  /** Its last advert; null: none is known. */
  readonly sentAt: Us | null
  /** The last contact with a competitor, whose announcements (`garp-again`) run from then on; null: none. */
  readonly contact: { readonly at: Us } | null
}

export function resumeLead(lead: Lead, before: LeadBefore): Lead {
  const repeats = lead.repeats.flatMap((repeat) => resumeRepeat(repeat, before))
  return { ...lead, now: [], repeats }
}

function resumeRepeat(repeat: Repeat, { now, since, sentAt, contact }: LeadBefore): Repeat[] {
  const { key, firstAfterUs, everyUs } = repeat
  if (key === 'advert' || key.startsWith('advert ')) {
    // One that is due by now is sent at once, and not left out.
    const dueAt = (sentAt ?? since) + everyUs
    return [{ ...repeat, firstAfterUs: us(Math.max(0, dueAt - now)) }]
  }
  const ofContact = contact !== null && key.startsWith('garp-again')
  // A contact that came later has done nothing yet.
  const elapsed = Math.max(0, now - (ofContact ? contact.at : since))
  const done = runsWithin(elapsed, repeat)
  const next = { ...repeat, firstAfterUs: us(firstAfterUs + done * everyUs - elapsed) }
  if (repeat.times === undefined) return [next]
  const left = repeat.times - done
  return left <= 0 ? [] : [{ ...next, times: left }]
}

function runsWithin(elapsed: number, { firstAfterUs, everyUs, times }: Repeat): number {
  if (elapsed < firstAfterUs) return 0
  if (everyUs === 0) return times ?? 1
  return Math.floor((elapsed - firstAfterUs) / everyUs) + 1
}
