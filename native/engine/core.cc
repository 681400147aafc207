#include "engine/core.h"

#include <algorithm>
#include <utility>

namespace vipd {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

PlanPtr WithoutDatagrams(const Plan& plan) {
  std::vector<Step> steps = plan.steps;
  std::erase_if(steps, [](const Step& step) { return step.kind == StepKind::kDatagram; });
  return MakePlan(std::move(steps));
}

}  // namespace

void Core::AddLink(LinkId link, std::shared_ptr<LinkCounters> counters) {
  links_[link].counters = std::move(counters);
}

void Core::RemoveLink(LinkId link) {
  std::erase_if(slots_, [&](const auto& entry) {
    Slot* slot = entry.second.get();
    if (slot->link != link) return false;
    Leave(slot);
    deadlines_.Remove(slot);
    return true;
  });
  links_.erase(link);
}

void Core::AddSlot(SlotId id, LinkId link, uint8_t vrid, std::vector<Address> peers,
                   std::shared_ptr<SlotCounters> counters) {
  auto slot = std::make_unique<Slot>();
  slot->id = id;
  slot->link = link;
  slot->vrid = vrid;
  slot->peers = std::move(peers);
  slot->counters = std::move(counters);
  slot->sibling = std::exchange(links_.at(link).slots[vrid], slot.get());
  deadlines_.Add(slot.get());
  slots_[id] = std::move(slot);
}

void Core::SetPeers(SlotId id, std::vector<Address> peers) {
  if (Slot* slot = Find(id)) slot->peers = std::move(peers);
}

void Core::RemoveSlot(SlotId id) {
  Slot* slot = Find(id);
  if (slot == nullptr) return;
  Leave(slot);
  deadlines_.Remove(slot);
  Slot** at = &links_.at(slot->link).slots[slot->vrid];
  while (*at != slot) at = &(*at)->sibling;
  *at = slot->sibling;
  slots_.erase(id);
}

Core::Slot* Core::Find(SlotId id) {
  const auto found = slots_.find(id);
  return found == slots_.end() ? nullptr : found->second.get();
}

void Core::Touch(Slot* slot) {
  if (!std::exchange(slot->touched, true)) touched_.push_back(slot->id);
}

Core::Standing Core::StandingOf(SlotId id) const {
  const auto found = slots_.find(id);
  if (found == slots_.end()) return {};
  return {found->second->state == State::kLead, found->second->lead};
}

std::vector<SlotId> Core::Slots() const {
  std::vector<SlotId> out;
  for (const auto& [id, slot] : slots_) out.push_back(id);
  return out;
}

std::vector<SlotId> Core::TakeTouched() {
  for (const SlotId id : touched_)
    if (Slot* slot = Find(id)) slot->touched = false;
  return std::exchange(touched_, {});
}

// It is moved to another link, or its last order has been carried out: what was ordered stays so.
void Core::Leave(Slot* slot) {
  slot->tenure.reset();
  Enter(slot, State::kIdle);
}

// Every change of state passes here: what belongs to the old one is dropped, and what still waits
// to be carried out for a lead that ends here is discarded.
void Core::Enter(Slot* slot, State state) {
  Touch(slot);
  if (state == State::kLead && slot->state != State::kLead)
    slot->tenure = std::make_shared<Tenure>();
  if (state != State::kLead && slot->tenure != nullptr)
    std::exchange(slot->tenure, nullptr)->over = true;
  leading_ += (state == State::kLead) - (slot->state == State::kLead);
  StopWaiting(slot);
  slot->awaited = false;
  slot->listened = false;
  slot->listen_until = 0;
  slot->state = state;
  slot->resigned = Resigned::kNo;
  slot->changed = 0;
  if (state != State::kFollow) {
    slot->expect.reset();
    slot->heard_one = false;
  }
  if (state == State::kIdle) slot->lead.reset();
  if (state != State::kLead) slot->running.clear();
  deadlines_.Set(slot, kNever);
}

void Core::Push(const Slot& slot, PlanPtr plan) {
  if (plan->steps.empty()) return;
  Run run;
  run.slot = slot.id;
  run.generation = slot.generation;
  run.plan = std::move(plan);
  batch_.push_back(std::move(run));
}

void Core::PushForLead(const Slot& slot, PlanPtr plan, int repeat) {
  if (plan->steps.empty()) return;
  Push(slot, std::move(plan));
  batch_.back().tenure = slot.tenure;
  batch_.back().repeat = repeat;
}

void Core::Apply(OrderFor given, uint64_t acknowledged, Us now) {
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

// Whether the lead that the slot took over with may go on under this follow: its author did not
// know of it, but would have it lead by now as well, and what is given back in the end is the same.
// Resigning only to lead again would take the addresses away from a host that keeps them.
bool Core::LeadsOn(const Slot& slot, const Order& order, Us now) {
  return order.deadline <= now && order.now->steps.empty() && !order.lead->repeats.empty() &&
         order.lead->resign->steps == slot.lead->resign->steps;
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
  // Whoever does not know that this slot has resigned does not know what it missed since: it
  // listens for a whole interval. And whoever wrote a deadline that has passed does not know that
  // it listens once more already.
  const Us missed = slot->resigned_event > acknowledged || unsure ? now + order.restart : 0;
  const Us listening = order.deadline <= now ? std::max(slot->listen_until, missed) : missed;
  const bool goes_on = listening > std::max(now, order.deadline);
  Enter(slot, State::kFollow);
  Push(*slot, std::move(order.now));
  slot->expect = std::move(order.expect);
  if (slot->expect.has_value()) slot->known = slot->expect;
  slot->restart = order.restart;
  if (order.interval > 0) {
    if (slot->interval > 0 && slot->interval != order.interval) slot->counters->gaps.Clear();
    slot->interval = order.interval;
  }
  slot->lead = std::move(order.lead);
  slot->armed_at = now;
  slot->listened = goes_on;
  slot->listen_until = goes_on ? listening : 0;
  deadlines_.Set(slot, goes_on ? listening : order.deadline);
}

void Core::ApplyLead(Slot* slot, LeadPtr lead, bool crossed, Us now) {
  if (crossed && slot->resigned != Resigned::kNo) return RaiseResigned(slot, now);
  // A lead that is late already must not be refreshed into going on: Tick's rule, one step earlier.
  if (slot->state == State::kLead && Late(*slot, now))
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

void Core::Rearm(Slot* slot) {
  Us due = kNever;
  for (const Running& running : slot->running) due = std::min(due, running.due);
  deadlines_.Set(slot, due);
}

// What waited for the old bound is looked at again under the new one.
void Core::SetLiveness(Us liveness, Us now) {
  liveness_ = liveness;
  Renew(now);
}

void Core::Renew(Us now) {
  renewed_ = std::max(renewed_, now);
  if (waiting_ == 0) return;
  // Whatever was heard meanwhile is still to be acknowledged by the main thread: listen once more.
  for (const auto& [id, slot] : slots_) {
    if (slot->waiting) Listen(slot.get(), now);
  }
}

void Core::StopWaiting(Slot* slot) {
  waiting_ -= std::exchange(slot->waiting, false);
  awaiting_ -= std::exchange(slot->awaits, 0) != 0;
}

void Core::Acknowledge(uint64_t acknowledged, Us now) {
  acknowledged_ = std::max(acknowledged_, acknowledged);
  if (awaiting_ == 0) return;
  for (const auto& [id, slot] : slots_) {
    if (slot->awaits == 0 || slot->awaits > acknowledged_) continue;
    StopWaiting(slot.get());
    deadlines_.Set(slot.get(), now);
  }
}

void Core::Restart(Slot* slot, Us now) {
  StopWaiting(slot);
  slot->awaited = false;
  slot->armed_at = now;
  deadlines_.Set(slot, now + slot->restart);
}

// Once more, on our own account: the author of the order does not know.
void Core::Listen(Slot* slot, Us now) {
  Restart(slot, now);
  slot->listen_until = slot->due;
}

void Core::Tick(Us now) {
  // Late before lapsed: both follow from a stopped process, and the first says for how long.
  Us first = kNever;
  while (deadlines_.Next() <= now)
    first = std::min(first, Fire(static_cast<Slot*>(deadlines_.First()), now));
  if (first != kNever) Join(first, now);
  if (leading_ == 0 || !lapsed(now)) return;
  for (const auto& [id, slot] : slots_) {
    if (slot->state == State::kLead) Resign(slot.get(), Resigned::kLapsed, 0, now);
  }
}

// When the repeat was due that goes out; kNever when none does.
Us Core::Fire(Slot* slot, Us now) {
  const Us due = slot->due;
  if (slot->state == State::kFollow) {
    Expire(slot, now);
    return kNever;
  }
  if (now - due > slot->lead->late) {
    Resign(slot, Resigned::kLate, now - due, now);
    return kNever;
  }
  RunRepeats(slot, due, now);
  return due;
}

// What is due almost as early as `first`, which goes out, goes with it and from then on stays with
// it: a thousand slots wake the thread for some tens of batches in an interval, not a thousand
// times.
void Core::Join(Us first, Us now) {
  for (;;) {
    Slot* slot = static_cast<Slot*>(deadlines_.First());
    if (slot->state != State::kLead || !RunRepeats(slot, first, now)) return;
  }
}

void Core::Expire(Slot* slot, Us now) {
  const uint64_t awaited = slot->awaits;
  StopWaiting(slot);
  if (lapsed(now)) {
    slot->waiting = true;
    waiting_ += 1;
    deadlines_.Set(slot, kNever);
    return;
  }
  // Later than about one advert, and none of them waits: the master is gone or this machine was
  // deaf (paused, suspended). Silence proves nothing: listen once more. A thread that is always a
  // little late does so once; one that was away for a whole interval, each time.
  const Us late_by = now - std::max(slot->due, slot->armed_at);
  const bool away = late_by > slot->restart;
  if (slot->restart > 0 && late_by > slot->restart / 3 && (away || !slot->listened)) {
    slot->listened = true;
    return Listen(slot, now);
  }
  if (AwaitsJudgement(slot, awaited, now)) return;
  if (slot->heard_one)
    slot->counters->adverts.Silent(now, now - slot->counters->last_received.load());
  TakeOver(slot, slot->lead, slot->due, now);
}

// Leads on its own account, and tells so when that has been carried out.
void Core::TakeOver(Slot* slot, LeadPtr lead, Us deadline, Us now) {
  const size_t at = batch_.size();
  StartLead(slot, std::move(lead), now);
  slot->changed = kChanging;
  // Even an empty plan is a run: the event is raised when it is settled.
  if (batch_.size() == at) {
    batch_.emplace_back();
    batch_[at].slot = slot->id;
    batch_[at].generation = slot->generation;
    batch_[at].plan = slot->lead->now;
  }
  batch_[at].deadline = deadline;
  slot->expiring = deadline;
}

// A main thread that does not turn must not cause a take-over from a master whose advert changed
// meanwhile. It is waited for until its lease lapses; without one, as long as somebody is heard
// (`still` is what was waited for until now). Once it has worked that off, what arrived after the
// deadline is not waited for, so a flood puts nothing off.
bool Core::AwaitsJudgement(Slot* slot, uint64_t still, Us now) {
  if (slot->last_packet <= acknowledged_) return false;
  const bool again = std::exchange(slot->awaited, true);
  if (again && (still == 0 || liveness_ > 0)) return false;
  const Us patience = slot->counters->last_received.load(kRelaxed) + slot->restart;
  const Us until = liveness_ > 0 ? renewed_ + liveness_ : patience;
  if (until <= now) return false;
  slot->awaits = again ? still : slot->last_packet;
  awaiting_ += 1;
  deadlines_.Set(slot, until);
  return true;
}

// What is due, and what may join what was due at `first`. False when there is none.
bool Core::RunRepeats(Slot* slot, Us first, Us now) {
  bool any = false;
  for (size_t i = 0; i < slot->running.size(); ++i) {
    Running& running = slot->running[i];
    const Repeat& repeat = slot->lead->repeats[i];
    const bool joins =
        running.due > now && running.due != kNever && running.due - first <= repeat.slack;
    if (running.due > now && !joins) continue;
    any = true;
    if (running.left > 0) running.left -= 1;
    const bool over = running.left == 0 || repeat.every <= 0;
    // What was missed is not made up for: the next one in phase.
    const Us phase = joins ? first : running.due;
    running.due = over ? kNever : phase + repeat.every * ((now - phase) / repeat.every + 1);
    PushForLead(*slot, repeat.plan, static_cast<int>(i));
  }
  if (any) Rearm(slot);
  return any;
}

void Core::PreemptedByWarden(Us now) {
  for (const auto& [id, slot] : slots_) {
    if (slot->state != State::kLead) continue;
    const Us late_by = std::max<Us>(now - slot->due, 0);
    Idle(slot.get(), WithoutDatagrams(*slot->lead->resign), Resigned::kLate, late_by, now);
  }
}

void Core::Resign(Slot* slot, Resigned why, Us late_by, Us now) {
  Idle(slot, slot->lead->resign, why, late_by, now);
}

void Core::Idle(Slot* slot, PlanPtr plan, Resigned why, Us late_by, Us now) {
  // The take-over that ends here may still be under way: it is told first.
  if (slot->changed == kChanging) RaiseExpired(slot, slot->generation, now, now);
  Push(*slot, std::move(plan));
  Enter(slot, State::kIdle);
  slot->resigned = why;
  slot->late_by = late_by;
  RaiseResigned(slot, now);
}

void Core::RaiseResigned(Slot* slot, Us now) {
  const auto kind = slot->resigned == Resigned::kLate ? Event::Kind::kLate : Event::Kind::kLapsed;
  Event event = Event::Of(kind, slot->id, slot->generation);
  event.late_by = slot->late_by;
  event.at = now;
  Raise(std::move(event));
  slot->changed = slot->resigned_event = raised_;
}

void Core::RaiseExpired(Slot* slot, int64_t generation, Us at, Us done_at) {
  Event event = Event::Of(Event::Kind::kExpired, slot->id, generation);
  event.at = at;
  event.done_at = done_at;
  event.deadline = std::exchange(slot->expiring, Run::kNoDeadline);
  Raise(std::move(event));
  if (slot->changed == kChanging) slot->changed = raised_;
}

Us Core::NextDeadline() {
  const Us lease = liveness_ > 0 && leading_ > 0 ? renewed_ + liveness_ : kNever;
  return std::min(deadlines_.Next(), lease);
}

}  // namespace vipd
