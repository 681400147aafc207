/** Of `auth_type AH`: one sequence for all routers, which each goes on from. */
import type { Mutant } from './mutant.ts'

const check = 'native/engine/ah_check.cc'

export const ahMutants: readonly Mutant[] = [
  {
    name: 'ah: a header is not checked',
    file: check,
    find: 'return {SealVerdict::kInvalid};',
    replace: 'if (fields.sequence == 0) return {SealVerdict::kInvalid};',
  },
  {
    name: 'ah: a replay is accepted',
    file: check,
    find: 'if (fields.sequence <= before && !crossed) return {SealVerdict::kReplayed};',
    replace: 'if (fields.sequence == 0 && !crossed) return {SealVerdict::kReplayed};',
  },
  {
    name: 'ah: what was sent in the same moment is a replay',
    file: check,
    find: 'fields.sequence == before && before != heard_',
    replace: 'fields.sequence == before && before == 0',
  },
  {
    name: 'ah: it goes on from what it has sent alone',
    file: 'native/engine/seal_check.cc',
    find: 'std::make_unique<AhCheck>(*ah, sequence,',
    replace: 'std::make_unique<AhCheck>(*ah, nullptr,',
  },
  {
    name: 'ah: a host that is started again begins with 1',
    file: 'native/base/seal_table.cc',
    find: 'next = before == 0 ? SequenceAt(wall) >> 32 : before + 1;',
    replace: 'next = before + 1;',
  },
  {
    name: 'ah: what an idle slot hears is not judged',
    file: 'native/engine/core_events.cc',
    find: 'const SealCheck::Judgement seal = Judge(slot, heard, now);',
    replace:
      'if (slot->state == State::kIdle) return false;\n  const SealCheck::Judgement seal = Judge(slot, heard, now);',
  },
]
