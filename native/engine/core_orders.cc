// Orders in: what an order changes of the standing one, and what becomes of one that crossed with a
// change that the core made on its own.
#include <algorithm>
#include <utility>

#include "engine/core.h"

namespace vipd {

void Core::Apply(OrderFor given, uint64_t acknowledged, Us now) {
  now_ = now;
  Renew(now);
  Slot* slot = Find(given.slot);
  if (slot == nullptr) return;
  const bool crossed = slot->changed > acknowledged;
  slot->generation = given.generation;
  switch (given.order.kind) {
    case Order::Kind::kIdle:
      return ApplyIdle(slot, std::move(given.order), crossed);
    case Order::Kind::kFollow:
      return ApplyFollow(slot, std::move(given.order), acknowledged, crossed, now);
    case Order::Kind::kLead:
      return ApplyLead(slot, std::move(given.order.lead), crossed, now);
    case Order::Kind::kOnce:
      if (!crossed) PushForLead(*slot, std::move(given.order.now));
      return;
  }
}

void Core::ApplyIdle(Slot* slot, Order order, bool crossed) {
  if (crossed && slot->state == State::kLead) Push(*slot, slot->lead->resign);
  Enter(slot, State::kIdle);
  Push(*slot, std::move(order.now));
}

namespace {

// What a plan asks of the kernel, without what it says on the wire.
bool SameRequests(const Plan& a, const Plan& b) {
  // Without views: the clang that has libFuzzer does not take those of this library.
  const auto requests = [](const Plan& plan) {
    std::vector<Step> out;
    for (const Step& step : plan.steps)
      if (step.kind == StepKind::kNetlink) out.push_back(step);
    return out;
  };
  return requests(a) == requests(b);
}

}  // namespace

// Whether the lead that the slot took over with may go on under this follow: its author did not
// know of it, but would have it lead by now as well, and what is given back in the end is the same.
// Resigning only to lead again would take the addresses away from a host that keeps them.
bool Core::LeadsOn(const Slot& slot, const Order& order, Us now) {
  return order.deadline <= now && order.now->steps.empty() && !order.lead->repeats.empty() &&
         SameRequests(*order.lead->resign, *slot.lead->resign);
}

void Core::ApplyFollow(Slot* slot, Order order, uint64_t acknowledged, bool crossed, Us now) {
  const bool took_over = crossed && slot->state == State::kLead;
  // A deadline that has passed may not be followed at once by one who neither knew that this slot
  // took over at it nor has judged what was heard since: that may have been a better master. Nor by
  // a slot that has been late meanwhile: it listens, like every lead that is.
  const bool unsure = took_over && (slot->last_packet > acknowledged || Late(*slot, now));
  if (took_over && !unsure && slot->resigned_event <= acknowledged && LeadsOn(*slot, order, now))
    return TakeOver(slot, std::move(order.lead), order.deadline, now);
  if (took_over) Push(*slot, slot->lead->resign);
  // An author that does not know that this slot has resigned does not know what it missed since: it
  // listens for a whole interval. And one that wrote a deadline that has passed does not know that
  // it listens once more already.
  const Us missed = slot->resigned_event > acknowledged || unsure ? now + order.restart : 0;
  const Us listening = order.deadline <= now ? std::max(slot->listen_until, missed) : missed;
  const bool goes_on = listening > std::max(now, order.deadline);
  Enter(slot, State::kFollow);
  Push(*slot, std::move(order.now));
  slot->expect = std::move(order.expect);
  slot->overruled = order.overruled;
  if (slot->expect.has_value()) slot->known = slot->expect;
  slot->restart = order.restart;
  slot->late = order.late;
  slot->absent = order.absent;
  if (order.interval > 0) {
    if (slot->interval > 0 && slot->interval != order.interval) slot->counters->gaps.Clear();
    slot->interval = order.interval;
  }
  slot->lead = std::move(order.lead);
  slot->armed_at = now;
  slot->listened = goes_on;
  slot->listen_until = goes_on ? listening : 0;
  deadlines_.Set(slot, goes_on ? listening : order.deadline);
  slot->ask = std::move(order.ask);
  slot->ask_before = order.ask_before;
  if (slot->ask != nullptr) AskBefore(slot, slot->due, now);
}

void Core::ApplyLead(Slot* slot, LeadPtr lead, bool crossed, Us now) {
  if (crossed && slot->resigned != Resigned::kNo) return RaiseResigned(slot, now);
  // A lead that is late already must not be refreshed into going on: Tick's rule, one step earlier.
  if (!held_ && slot->state == State::kLead && Late(*slot, now))
    return Resign(slot, Resigned::kLate, now - slot->due, now);
  StartLead(slot, std::move(lead), now);
}

// A repeat that the standing lead has too (key and period) keeps its phase and what is left of it.
void Core::StartLead(Slot* slot, LeadPtr lead, Us now) {
  const LeadPtr before = slot->state == State::kLead ? slot->lead : nullptr;
  const std::vector<Running> progress = std::exchange(slot->running, {});
  Enter(slot, State::kLead);
  PushForLead(*slot, lead->now);
  for (const Repeat& repeat : lead->repeats) {
    Running running{now + repeat.first_after, repeat.times, 0};
    for (size_t i = 0; before != nullptr && i < before->repeats.size(); ++i)
      if (before->repeats[i].key == repeat.key && before->repeats[i].every == repeat.every)
        running = progress[i];
    slot->running.push_back(running);
  }
  slot->lead = std::move(lead);
  Rearm(slot);
}

}  // namespace vipd
