/**
 * Deliberate bugs, each one line of the shipped code changed, which the simulator must catch: the proof that its
 * invariants bite. `npm run mutants` builds and runs every one; a mutant that survives is a hole in the invariants.
 */
export type Mutant = {
  readonly name: string
  readonly file: string
  /** Occurs once in the file. */
  readonly find: string
  readonly replace: string
}

const file = {
  backup: 'src/election/backup.ts',
  master: 'src/election/master.ts',
  timing: 'src/base/vrrp-timing.ts',
  group: 'src/election/sync-group.ts',
  priority: 'src/election/priority.ts',
  plans: 'src/engine/plans.ts',
  instance: 'src/router/dispatch/instance.ts',
  addressKeeper: 'src/router/dispatch/address-keeper.ts',
  coreOrders: 'native/engine/core_orders.cc',
  coreTime: 'native/engine/core_time.cc',
  coreEvents: 'native/engine/core_events.cc',
}

export const mutants: readonly Mutant[] = [
  {
    name: 'a better backup never preempts',
    file: file.backup,
    find: 'if (!params.preempt || advert.priority >= machine.effective) return null',
    replace: 'if (advert.priority >= 0) return null',
  },
  {
    name: 'nopreempt is not honoured',
    file: file.backup,
    find: 'if (!params.preempt || advert.priority >= machine.effective) return null',
    replace: 'if (advert.priority >= machine.effective) return null',
  },
  {
    name: 'preempt_delay is not honoured',
    file: file.backup,
    find: "if (params.preemptDelayUs === 0) return 'discard'",
    replace: "if (params.preemptDelayUs >= 0) return 'discard'",
  },
  {
    name: 'a resignation is not heard: the full down interval instead of the skew time',
    file: file.backup,
    find: 'addUs(now, backupSkewUs(params, machine.effective, state.master)),',
    replace: 'state.masterDownAt,',
  },
  {
    name: 'a master does not yield to a higher priority',
    file: file.master,
    find: "return advert.priority > machine.effective ? 'higher' : 'lower'",
    replace: "return 'lower'",
  },
  {
    name: 'no tie-break between two masters of equal priority',
    file: file.master,
    find: "return order > 0 ? 'higher-address' : 'lower-address'",
    replace: "return 'lower-address'",
  },
  {
    name: 'a backup takes over after two lost adverts',
    file: file.timing,
    find: 'us(p.downTimerAdverts * p.intervalUs)',
    replace: 'us((p.downTimerAdverts - 1) * p.intervalUs)',
  },
  {
    name: 'a backup waits for a fourth advert',
    file: file.timing,
    find: 'us(p.downTimerAdverts * p.intervalUs)',
    replace: 'us((p.downTimerAdverts + 1) * p.intervalUs)',
  },
  {
    name: 'the skew is upside down: the worst backup speaks first',
    file: file.timing,
    find: '((256 - effectivePriority) * unit) / 256',
    replace: '(effectivePriority * unit) / 256',
  },
  {
    name: 'a failed check costs no priority',
    file: file.priority,
    find: 'verdictOf(tracker) === countsWhile(weight) ? signedWeight(tracker) : 0',
    replace: "countsWhile(weight) === 'good' ? signedWeight(tracker) : 0",
  },
  {
    name: 'a fault of one member does not reach its sync group',
    file: file.group,
    find: 'return own.length === 0 ? [] : [{',
    replace: 'return own.length >= 0 ? [] : [{',
  },
  {
    name: 'a sync group follows only those members that already lead',
    file: file.group,
    find: "if (states.every(leadsOrWants)) return command(group, taking, 'backup', 'master')",
    replace: "if (states.every(leadsOrWants)) return command(group, taking, 'backup', 'backup')",
  },
  {
    name: 'who becomes backup keeps the addresses',
    file: file.plans,
    find: 'now: options.entering ? planIdle(facts, options.resign === true) : [],',
    replace: 'now: [],',
  },
  {
    name: 'who leads takes no addresses',
    file: file.plans,
    find: '[...advert, ...adds, ...announced]',
    replace: '[...advert, ...announced]',
  },
  {
    name: 'a late master resigns, but keeps the addresses',
    file: file.plans,
    find: 'resign: planIdle(facts, true),',
    replace: 'resign: planAdvert(facts, priorityResign),',
  },
  {
    name: 'late is never late: a master that slept goes on',
    file: file.plans,
    find: 'us(Math.max(facts.peersDownUs - facts.advertIntervalUs, 0))',
    replace: 'us(10 ** 12)',
  },
  {
    name: 'the priority of the adverts is the configured one',
    file: file.plans,
    find: 'planLead(facts, machine.effective, options)',
    replace: 'planLead(facts, params.basePriority, options)',
  },
  {
    name: 'the refresh of the announcements is forgotten',
    file: file.plans,
    find: "...announceEvery('garp-refresh', frames, garp),",
    replace: '',
  },
  {
    name: 'a deleted address is not put back',
    file: file.addressKeeper,
    find: 'if (!lost || !tracked) return',
    replace: 'if (lost || tracked) return',
  },
  {
    name: 'a superseded advert sets the deadline back',
    file: file.instance,
    find: 'const superseded = this.#parts.election.heardMasterSince(at)',
    replace: 'const superseded = false',
  },
  {
    name: 'core: an expected advert does not restart the deadline',
    file: file.coreTime,
    find: 'deadlines_.Set(slot, now + slot->restart);',
    replace: '',
  },
  {
    name: 'core: any advert of the known source is expected',
    file: file.coreEvents,
    find: 'std::ranges::equal(payload, advert->payload);',
    replace: '!payload.empty();',
  },
  {
    name: 'core: a lapsed lease ends no lead',
    file: file.coreTime,
    find: 'if (leading_ == 0 || !lapsed(now)) return;',
    replace: 'return;',
  },
  {
    name: 'core: a follow takes over although the lease is lapsed',
    file: file.coreTime,
    find: '  if (lapsed(now)) {\n    slot->waiting = true;',
    replace: '  if (lapsed(now) && slot->waiting) {\n    slot->waiting = true;',
  },
  {
    name: 'core: a thread that wakes up late does not listen',
    file: file.coreTime,
    find: 'late_by > slot->late && (absent || !slot->listened)',
    replace: 'late_by > slot->late * 1000 && (absent || !slot->listened)',
  },
  {
    name: 'core: an advert that has not been looked at yet holds no deadline',
    file: file.coreTime,
    find: 'if (slot->last_packet <= acknowledged_) return false;',
    replace: 'if (slot->last_packet >= acknowledged_) return false;',
  },
  {
    name: 'core: an order with a passed deadline ends the listening',
    file: file.coreOrders,
    find: 'order.deadline <= now ? std::max(slot->listen_until, missed) : missed',
    replace: 'missed',
  },
  {
    name: 'core: a lead that a follow crossed resigns and leads again at once',
    file: file.coreOrders,
    find: 'return order.deadline <= now && order.now->steps.empty() &&',
    replace: 'return order.deadline < 0 && order.now->steps.empty() &&',
  },
  {
    name: 'core: a changed priority begins the advert interval anew',
    file: file.coreOrders,
    find: '        running = progress[i];',
    replace: '        running.left = progress[i].left;',
  },
]
