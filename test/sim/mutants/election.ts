/** Of the election, its plans and sync groups. */
import type { Mutant } from './mutant.ts'

export const electionMutants: readonly Mutant[] = [
  {
    name: 'a better backup never preempts',
    file: 'src/election/backup.ts',
    find: 'if (!params.preempt || advert.priority >= machine.effective) return null',
    replace: 'if (advert.priority >= 0) return null',
  },
  {
    name: 'nopreempt is not honoured',
    file: 'src/election/backup.ts',
    find: 'if (!params.preempt || advert.priority >= machine.effective) return null',
    replace: 'if (advert.priority >= machine.effective) return null',
  },
  {
    name: 'preempt_delay is not honoured',
    file: 'src/election/backup.ts',
    find: "if (params.preemptDelayUs === 0) return 'discard'",
    replace: "if (params.preemptDelayUs >= 0) return 'discard'",
  },
  {
    name: 'a resignation is not heard: the full down interval instead of the skew time',
    file: 'src/election/backup.ts',
    find: 'addUs(now, backupSkewUs(params, machine.effective, state.master)),',
    replace: 'state.masterDownAt,',
  },
  {
    name: 'a master does not yield to a higher priority',
    file: 'src/election/master.ts',
    find: "return advert.priority > machine.effective ? 'higher' : 'lower'",
    replace: "return 'lower'",
  },
  {
    name: 'no tie-break between two masters of equal priority',
    file: 'src/election/master.ts',
    find: "return order > 0 ? 'higher-address' : 'lower-address'",
    replace: "return 'lower-address'",
  },
  {
    name: 'a backup takes over after two lost adverts',
    file: 'src/base/vrrp-timing.ts',
    find: 'us(p.downTimerAdverts * p.intervalUs)',
    replace: 'us((p.downTimerAdverts - 1) * p.intervalUs)',
  },
  {
    name: 'a backup waits for a fourth advert',
    file: 'src/base/vrrp-timing.ts',
    find: 'us(p.downTimerAdverts * p.intervalUs)',
    replace: 'us((p.downTimerAdverts + 1) * p.intervalUs)',
  },
  {
    name: 'the skew is upside down: the worst backup speaks first',
    file: 'src/base/vrrp-timing.ts',
    find: '((256 - effectivePriority) * unit) / 256',
    replace: '(effectivePriority * unit) / 256',
  },
  {
    name: 'a failed check costs no priority',
    file: 'src/election/priority.ts',
    find: 'delta: counts ? signedWeight(tracker) : 0',
    replace: 'delta: weight > 0 ? signedWeight(tracker) : 0',
  },
  {
    name: 'a fault of one member does not reach its sync group',
    file: 'src/election/sync-group.ts',
    find: 'return own.length === 0 ? [] : [{',
    replace: 'return own.length >= 0 ? [] : [{',
  },
  {
    name: 'a sync group follows only those members that already lead',
    file: 'src/election/sync-group.ts',
    find: "if (states.every(leadsOrWants)) return command(group, taking, 'backup', 'master')",
    replace: "if (states.every(leadsOrWants)) return command(group, taking, 'backup', 'backup')",
  },
  {
    name: 'who becomes backup keeps the addresses',
    file: 'src/engine/plans.ts',
    find: 'now: options.entering ? planIdle(facts, options) : [],',
    replace: 'now: [],',
  },
  {
    name: 'who leads takes no addresses',
    file: 'src/engine/plans.ts',
    find: '...advert, ...adds, ...entries, ...announced]',
    replace: '...advert, ...entries, ...announced]',
  },
  {
    name: 'a late master resigns, but keeps the addresses',
    file: 'src/engine/plans.ts',
    find: 'resign: planIdle(facts, { resign: true }),',
    replace: 'resign: planAdvert(facts, priorityResign),',
  },
  {
    name: 'late is never late: a master that slept goes on',
    file: 'src/engine/plans.ts',
    find: 'us(Math.max(facts.peersDownUs - advertIntervalUs, 0))',
    replace: 'us(10 ** 12)',
  },
  {
    name: 'the priority of the adverts is the configured one',
    file: 'src/engine/plans.ts',
    find: 'planLead(facts, machine.effective, options)',
    replace: 'planLead(facts, params.basePriority, options)',
  },
  {
    name: 'the refresh of the announcements is forgotten',
    file: 'src/engine/plans.ts',
    find: "...announceEvery('garp-refresh', frames, refresh),",
    replace: '',
  },
  {
    name: 'a superseded advert sets the deadline back',
    file: 'src/router/dispatch/instance.ts',
    find: 'const superseded = this.#parts.election.heardMasterSince(at)',
    replace: 'const superseded = false',
  },
]
