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
]
