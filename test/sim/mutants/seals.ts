/** Of signed adverts. */
import type { Mutant } from './mutant.ts'

export const sealsMutants: readonly Mutant[] = [
  {
    name: 'a seal is not checked',
    file: 'native/engine/trailer_check.cc',
    find: 'if (!EqualConstantTime(mac, payload.last(kMacOctets))) return {SealVerdict::kInvalid, skew};',
    replace: 'if (mac.empty()) return {SealVerdict::kInvalid, skew};',
  },
  {
    name: 'a replay is accepted',
    file: 'native/engine/trailer_check.cc',
    find: 'if (mark.set && !Later(sequence, mark.last) && !Forgotten(mark, wall))',
    replace: 'if (mark.set && sequence == 0 && !Forgotten(mark, wall))',
  },
  {
    name: 'a sequence goes back',
    file: 'native/base/seal_table.cc',
    find: 'next = before == 0 || ahead || Later(reading, before) ? reading : before + 1;',
    replace: 'next = before == 0 || ahead ? reading : before - 1;',
  },
  {
    name: 'core: what no seal allows holds a deadline back',
    file: 'native/engine/core_events.cc',
    find: 'return slot.seal == nullptr || slot.seal->Believes(verdict);',
    replace: 'return slot.seal == nullptr || verdict != SealVerdict::kNone || slot.vrid != 0;',
  },
  {
    name: 'core: what no seal allows is waited for',
    file: 'native/engine/core_events.cc',
    find: 'if (believed) slot->last_packet = raised_;',
    replace: 'slot->last_packet = raised_;',
  },
  {
    name: 'core: what no seal allows shows that the master lives',
    file: 'native/engine/core_events.cc',
    find: 'if (believed) Count(slot, packet.at);\n  pending_packets_[digest] = events_.size();',
    replace: 'Count(slot, packet.at);\n  pending_packets_[digest] = events_.size();',
  },
  {
    name: 'core: a signed advert has no more credit than a forged one',
    file: 'native/engine/core_events.cc',
    find: 'if (packet.seal == SealVerdict::kVerified || Equals(slot->known,',
    replace: 'if (Equals(slot->known,',
  },
  {
    name: 'what a router has sent itself is believed',
    file: 'native/engine/trailer_check.cc',
    find: 'return sent != 0 && !Later(sequence, sent);',
    replace: 'return sent == 1 && !Later(sequence, sent);',
  },
]
