/** In-process checks in a line for people. */
import type { FileWanted, ProcessesWanted } from '../../base/command.ts'
import type { Probe } from '../../base/probe.ts'
import { httpTexts } from './probe-http.ts'
import type { ProbeTexts } from './probe-kind.ts'
import { serviceTexts } from './probe-services.ts'
import { talkTexts } from './probe-talk.ts'

const texts: ProbeTexts = { ...talkTexts, ...httpTexts, ...serviceTexts }

export const describeProbe = <K extends Probe['kind']>(
  probe: Extract<Probe, { readonly kind: K }>,
): string => texts[probe.kind](probe)

export function describeQuorum({ name, least, most, parameters }: ProcessesWanted): string {
  const bound = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`
  const given = parameters === null ? '' : ` with ${parameters.join(' ') || 'no arguments'}`
  return `are ${bound} processes ${name}${given} alive`
}

export function describeFile({ path, readable, fresherMs, content }: FileWanted): string {
  const wants = [
    readable ? 'readable' : 'there',
    ...(fresherMs === null ? [] : [`changed within ${fresherMs / 1_000} s`]),
    ...(content === null ? [] : [`with /${content}/ in it`]),
  ]
  return `is ${path} ${wants.join(', ')}`
}
