/** How what the router's parts know is read out for another process, and taken over from one (router-state.ts). */
import type { Config } from '../../config/types.ts'
import type { BfdSessions } from '../bfd/sessions.ts'
import type { UnknownVrids } from '../binding/unknown-vrids.ts'
import type { CheckVerdicts } from './check-verdicts.ts'
import type { Roster } from './roster.ts'
import type { RouterState } from './router-state.ts'
import type { StaticEntries } from './static-entries.ts'

/** Those that know what another process could not find out anew. */
export type Carriers = {
  readonly roster: Roster
  readonly bfd: BfdSessions
  readonly statics: StaticEntries
  readonly verdicts: CheckVerdicts
  readonly unknownVrids: UnknownVrids
}

type Known = Omit<RouterState, 'version' | 'at' | 'eventsRaised' | 'interfacesAtStart'>

export const knownBy = (of: Carriers, config: Config): Known => ({
  ...of.verdicts.snapshot(config),
  unknownVrids: of.unknownVrids.known,
  bfd: of.bfd.snapshot(),
  statics: of.statics.snapshot(),
  ...of.roster.snapshot(),
})

/** Why not, in a sentence; null: done. What was taken over before is out of date, and goes. */
export function takeOver(to: Carriers, config: Config, known: Known): string | null {
  to.bfd.stop()
  to.roster.clear()
  to.verdicts.adopt(known)
  const why = to.bfd.adopt(config.bfd, known.bfd) ?? to.roster.adopt(config, known)
  if (why !== null) return why
  to.statics.adopt(config.statics, known.statics)
  to.unknownVrids.adopt(known.unknownVrids)
  return null
}
