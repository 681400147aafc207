/** Of the engine's core: deadlines, expected adverts, leases, orders that cross. */
import type { Mutant } from './mutant.ts'

export const coreMutants: readonly Mutant[] = [
  {
    name: 'core: an expected advert does not restart the deadline',
    file: 'native/engine/core_time.cc',
    find: 'deadlines_.Set(slot, now + slot->restart);',
    replace: '',
  },
  {
    name: 'core: any advert of the known source is expected',
    file: 'native/engine/core_events.cc',
    find: 'std::ranges::equal(payload, advert->payload);',
    replace: '!payload.empty();',
  },
  {
    name: 'core: a lapsed lease ends no lead',
    file: 'native/engine/core_time.cc',
    find: 'if (leading_ == 0 || !lapsed(now)) return;',
    replace: 'return;',
  },
  {
    name: 'core: a follow takes over although the lease is lapsed',
    file: 'native/engine/core_time.cc',
    find: '  if (lapsed(now)) {\n    slot->waiting = true;',
    replace: '  if (lapsed(now) && slot->waiting) {\n    slot->waiting = true;',
  },
  {
    name: 'core: a thread that wakes up late does not listen',
    file: 'native/engine/core_time.cc',
    find: 'late_by > slot->late && (absent || !slot->listened)',
    replace: 'late_by > slot->late * 1000 && (absent || !slot->listened)',
  },
  {
    name: 'core: an advert that has not been looked at yet holds no deadline',
    file: 'native/engine/core_time.cc',
    find: 'if (slot->last_packet <= acknowledged_) return false;',
    replace: 'if (slot->last_packet >= acknowledged_) return false;',
  },
  {
    name: 'core: an order with a passed deadline ends the listening',
    file: 'native/engine/core_orders.cc',
    find: 'order.deadline <= now ? std::max(slot->listen_until, missed) : missed',
    replace: 'missed',
  },
  {
    name: 'core: a lead that a follow crossed resigns and leads again at once',
    file: 'native/engine/core_orders.cc',
    find: 'return order.deadline <= now && order.now->steps.empty() &&',
    replace: 'return order.deadline < 0 && order.now->steps.empty() &&',
  },
  {
    name: 'core: a lead that a follow crossed resigns for what it would say otherwise',
    file: 'native/engine/core_orders.cc',
    find: 'if (step.kind == StepKind::kNetlink) out.push_back(step);',
    replace: 'if (step.kind != StepKind::kDatagram) out.push_back(step);',
  },
  {
    name: 'core: a changed priority begins the advert interval anew',
    file: 'native/engine/core_orders.cc',
    find: '        running = progress[i];',
    replace: '        running.left = progress[i].left;',
  },
  {
    name: 'core: a slot that moves to other sockets has forgotten that it resigned',
    file: 'native/engine/core.cc',
    find: 'if (slot->resigned != Resigned::kNo && slot->resigned_event > acknowledged_)',
    replace: 'if (slot->resigned != Resigned::kNo && slot->resigned_event == 0)',
  },
]
