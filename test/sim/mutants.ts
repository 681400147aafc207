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
  entries: 'src/engine/plans-entries.ts',
  entryKeeper: 'src/router/dispatch/entry-keeper.ts',
  instance: 'src/router/dispatch/instance.ts',
  addressKeeper: 'src/router/dispatch/address-keeper.ts',
  apply: 'src/router/reload/apply.ts',
  difference: 'src/router/binding/address-difference.ts',
  dispatcher: 'src/router/dispatch/dispatcher.ts',
  resume: 'src/engine/resume-lead.ts',
  roster: 'src/router/dispatch/roster.ts',
  slotOrders: 'src/router/dispatch/slot-orders.ts',
  coreSlots: 'native/engine/core.cc',
  coreOrders: 'native/engine/core_orders.cc',
  coreTime: 'native/engine/core_time.cc',
  coreEvents: 'native/engine/core_events.cc',
  sealCheck: 'native/engine/seal_check.cc',
  sealTable: 'native/base/seal_table.cc',
}

export const mutants: readonly Mutant[] = [
  {
    name: 'a seal is not checked',
    file: file.coreEvents,
    find: 'return slot.seal == nullptr || slot.seal->Believes(verdict);',
    replace: 'return slot.seal == nullptr || verdict != SealVerdict::kNone || slot.vrid != 0;',
  },
  {
    name: 'a replay is accepted',
    file: file.sealCheck,
    find: 'if (mark.set && !Later(sequence, mark.last) && !Forgotten(mark, wall))',
    replace: 'if (mark.set && sequence == 0 && !Forgotten(mark, wall))',
  },
  {
    name: 'a sequence goes back',
    file: file.sealTable,
    find: 'next = before == 0 || ahead || Later(reading, before) ? reading : before + 1;',
    replace: 'next = before == 0 || ahead ? reading : before - 1;',
  },
  {
    name: 'a better backup never preempts',
    file: file.backup,
    find: 'if (!params.preempt || advert.priority >= machine.effective) return null',
    replace: 'if (advert.priority >= 0) return null',
  },
  {
    name: 'a route left behind: what leaves removes its rules alone',
    file: file.entries,
    find: '.filter(({ identity }) => !but.has(identity))',
    replace: ".filter(({ identity, kind }) => !but.has(identity) && kind === 'rule')",
  },
  {
    name: 'a route that another program removed is not put back',
    file: file.entryKeeper,
    find: 'this.#restorer.lost(identity, now)',
    replace: 'void 0',
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
    find: 'delta: counts ? signedWeight(tracker) : 0',
    replace: 'delta: weight > 0 ? signedWeight(tracker) : 0',
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
    find: 'now: options.entering ? planIdle(facts, options) : [],',
    replace: 'now: [],',
  },
  {
    name: 'who leads takes no addresses',
    file: file.plans,
    find: '[...advert, ...adds, ...entries, ...announced]',
    replace: '[...advert, ...entries, ...announced]',
  },
  {
    name: 'a late master resigns, but keeps the addresses',
    file: file.plans,
    find: 'resign: planIdle(facts, { resign: true }),',
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
  // What a reload must not do, one for each fault that was mended.
  {
    name: 'reload: an order goes out for a slot without sockets',
    file: file.slotOrders,
    find: 'if (this.#binding.link === null) return',
    replace: '',
  },
  {
    name: 'reload: a configuration counts as applied although its sockets did not open',
    file: file.instance,
    find: "return this.#applied && !this.binding.faults.some(({ kind }) => kind === 'transport')",
    replace: 'return true',
  },
  {
    name: 'reload: a backup whose sockets are replaced goes back to the deadline of long ago',
    file: file.instance,
    find: 'const before = this.binding.facts\n    this.#parts.election.refresh()',
    replace: 'const before = this.binding.facts',
  },
  {
    name: 'reload: a master whose sockets are replaced begins its interval anew',
    file: file.slotOrders,
    find: 'if (before !== null && rejoined !== null && leads) this.resume(standing, rejoined)',
    replace: "if (before !== null && rejoined !== null && leads) this.install('replace', standing)",
  },
  {
    name: 'reload: a backup that was late takes over at once from new sockets',
    file: file.instance,
    find: 'if (rejoined) this.#parts.election.rejoined(joined.now)',
    replace: '',
  },
  {
    name: 'reload: the engine keeps the lease of the start',
    file: file.dispatcher,
    find: 'engine.setLiveness(next.globals.livenessUs)',
    replace: '',
  },
  {
    name: 'reload: the configuration in force stays the one before',
    file: file.dispatcher,
    find: '    this.#config = next\n',
    replace: '',
  },
  {
    name: 'reload: an address that is held is not altered',
    file: file.difference,
    find: 'label === to.label &&',
    replace: '',
  },
  {
    name: 'reload: the interface that is absent is a mistake of the file',
    file: file.dispatcher,
    find: 'return [...new Set([...this.#interfacesAtStart, ...namedInterfaces(this.#config)])]',
    replace: 'return []',
  },
  {
    name: 'reload: it goes on after the daemon has begun to stop',
    file: file.apply,
    find: "yield freed ? 'flush' : 'turn'\n      if (ports.stopping()) return false",
    replace: "yield freed ? 'flush' : 'turn'",
  },
  {
    name: 'reload: an address that moves is deleted by the one that gives it up',
    file: file.roster,
    find: 'if (addressesOf(to).some(({ address }) => given.has(address))) instance.holdAddresses()',
    replace: '',
  },
  {
    name: 'reload: a new member pulls its sync group down',
    file: file.roster,
    find: 'for (const instance of added) for (const group of groups) group.welcome(instance)',
    replace: '',
  },
  {
    name: 'reload: a sync group that goes on is notified as if it were new',
    file: file.roster,
    find: 'const before = this.#groups.get(cfg.name)?.state ?? null',
    replace: 'const before = null',
  },
  {
    name: 'reload: a script that it brings holds its instance until the first result',
    file: file.dispatcher,
    find: 'holds: (name) => this.#holding.has(name),',
    replace: 'holds: () => true,',
  },
  // What one process passes to the next.
  {
    name: 'adopt: the verdicts of the checks are not passed on',
    file: file.dispatcher,
    find: 'return this.#adoptedVerdicts.get(name) ?? status',
    replace: 'return status',
  },
  {
    name: 'adopt: a master begins its interval anew',
    file: file.resume,
    find: 'firstAfterUs: us(Math.max(0, dueAt - now))',
    replace: 'firstAfterUs: everyUs',
  },
  {
    name: 'adopt: the announcements of a master begin anew',
    file: file.resume,
    find: 'return left <= 0 ? [] : [{ ...next, times: left }]',
    replace: 'return [repeat]',
  },
  {
    name: 'adopt: a backup has no expected advert',
    file: file.slotOrders,
    find: 'this.#expected = expected === null ? null : { ...expected, payload: fromHex(expected.payload) }',
    replace: '',
  },
  {
    name: 'adopt: the host is drained no more',
    file: 'src/router/dispatch/stand-by.ts',
    find: '    this.#drained = drained\n',
    replace: '',
  },
  {
    name: 'core: a slot that moves to other sockets has forgotten that it resigned',
    file: file.coreSlots,
    find: 'if (slot->resigned != Resigned::kNo && slot->resigned_event > acknowledged_)',
    replace: 'if (slot->resigned != Resigned::kNo && slot->resigned_event == 0)',
  },
]
