/** All kinds of probe, from the files of their families. What recognises, reads, describes and documents them follows from it. */
import type { Command } from '../../base/command.ts'
import type { Probe } from '../../base/probe.ts'
import type { Descriptions, ProbeWords } from './probe-entry.ts'
import { httpDescriptions, httpWords } from './probe-http.ts'
import { type LocalCommand, localDescriptions, localWords } from './probe-local.ts'
import { serviceDescriptions, serviceWords } from './probe-services.ts'
import { talkDescriptions, talkWords } from './probe-talk.ts'

export const probeWords: ProbeWords = {
  ...talkWords,
  ...httpWords,
  ...serviceWords,
  ...localWords,
}

const descriptions: Descriptions<Probe | LocalCommand> = {
  ...talkDescriptions,
  ...httpDescriptions,
  ...serviceDescriptions,
  ...localDescriptions,
}

/** What an in-process check does, in a line for people. */
export const describeInProcess = (one: Probe | LocalCommand): string =>
  (descriptions[one.kind] as (one: Probe | LocalCommand) => string)(one)

/** null: the text is none of the well-known commands that are answered in-process. */
export function wellKnown(text: string): Command | null {
  for (const { instead } of Object.values(probeWords)) {
    const command = instead?.(text) ?? null
    if (command !== null) return command
  }
  return null
}

/** The table of docs/probes.md. */
export function probeTable(): string {
  const rows = Object.values(probeWords).flatMap(({ doc }) =>
    doc === null ? [] : [`| ${doc.usage} | ${doc.yes} | ${doc.options ?? ''} |`],
  )
  return ['| probe | says yes when | options |', '| --- | --- | --- |', ...rows, ''].join('\n')
}
