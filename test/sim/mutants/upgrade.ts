/** Of how the slots of one process become another's: the page's word, and what is told by it. */
import type { Mutant } from './mutant.ts'

const page = 'native/base/exchange.cc'
const turns = 'native/engine/exchange_turns.cc'
const core = 'native/engine/core_exchange.cc'

export const upgradeMutants: readonly Mutant[] = [
  {
    name: 'upgrade: taken although the first has its slots back',
    file: turns,
    find: 'bool ExchangeTaker::Take() { return exchange_->page()->Change(given_, ExchangePage::kTaken); }',
    replace:
      'bool ExchangeTaker::Take() { exchange_->page()->word = ExchangePage::kTaken; return true; }',
  },
  {
    name: 'upgrade: the first goes on without taking its slots back',
    file: turns,
    find: 'if (page->word == given_ && now >= until_) page->Change(given_, ExchangePage::kReady);',
    replace: 'if (page->word == given_ && now >= until_) return Outcome::kBack;',
  },
  {
    name: 'upgrade: what was given waits for ever',
    file: turns,
    find: 'now >= until_) page->Change',
    replace: 'now < 0) page->Change',
  },
  {
    name: 'upgrade: given for longer than until the next advert',
    file: turns,
    find: 'std::min(room, policy_.exchange_taken_most));',
    replace: 'policy_.exchange_taken_most);',
  },
  {
    name: "upgrade: given to one that is ready with another state's orders",
    file: turns,
    find: 'page->state() == ExchangePage::kReady && page->ready_for == page->offered;',
    replace: 'page->state() == ExchangePage::kReady;',
  },
  {
    name: 'upgrade: a giving has no number',
    file: turns,
    find: 'given_ = ExchangePage::kGiven | (++givings_ << ExchangePage::kStateBits);',
    replace: 'given_ = ExchangePage::kGiven;',
  },
  {
    name: 'upgrade: sequences are those of the state',
    file: turns,
    find: 'seals.GoOnFrom(slot->second, entry.key);',
    replace: 'seals.GoOnFrom(slot->second, 0);',
  },
  {
    name: 'upgrade: both wardens act',
    file: page,
    find: 'return role == ExchangeRole::kSecond;',
    replace: 'return true;',
  },
  {
    name: 'upgrade: the warden of the second acts before it has taken',
    file: page,
    find: 'return role == ExchangeRole::kFirst;',
    replace: 'return true;',
  },
  {
    name: 'upgrade: no warden acts once the slots are taken',
    file: page,
    find: 'return role == ExchangeRole::kSecond;',
    replace: 'return false;',
  },
  {
    name: 'upgrade: no warden acts before the slots are taken',
    file: page,
    find: 'return role == ExchangeRole::kFirst;',
    replace: 'return false;',
  },
  {
    name: 'upgrade: a warden acts and leaves the word as it is',
    file: page,
    find: 'if (StateIn(now) != kVoid && !word.compare_exchange_weak(now, kVoid)) continue;',
    replace: '',
  },
  {
    name: 'upgrade: a repeat is due as the state says',
    file: core,
    find: 'slot->running[i] = {entry.a, entry.b, static_cast<uint64_t>(entry.c)};',
    replace: 'slot->running[i].failing = static_cast<uint64_t>(entry.c);',
  },
  {
    name: 'upgrade: a deadline is as the state says',
    file: core,
    find: 'deadlines_.Set(slot, entry.a);',
    replace: '',
  },
  {
    name: 'upgrade: replay marks are those of the state',
    file: core,
    find: 'if (slot->seal != nullptr) slot->seal->Remember(MarkOf(entry));',
    replace: 'if (slot->seal == nullptr) static_cast<void>(MarkOf(entry));',
  },
  {
    name: 'upgrade: what both have read is a replay',
    file: core,
    find: 'slot->seal->Judged(packet)) return;',
    replace: 'packet.ttl < 0) return;',
  },
  {
    name: 'upgrade: what came meanwhile is lost',
    file: core,
    find: 'Receive(id, packet, at);',
    replace: '',
  },
]
