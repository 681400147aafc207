#include "engine/core.h"

#include <algorithm>
#include <utility>

namespace vipd {

namespace {

PlanPtr WithoutDatagrams(const Plan& plan) {
  std::vector<Step> steps = plan.steps;
  std::erase_if(steps, [](const Step& step) { return step.kind == StepKind::kDatagram; });
  return MakePlan(std::move(steps));
}

}  // namespace

void Core::AddLink(LinkId link, std::shared_ptr<LinkCounters> counters) {
  Link& added = links_[link];
  added.counters = std::move(counters);
  added.strangers = Bucket::Full(policy_.new_source);
}

void Core::RemoveLink(LinkId link) {
  std::erase_if(slots_, [&](const auto& entry) {
    Slot* slot = entry.second.get();
    if (slot->link != link) return false;
    Leave(slot);
    deadlines_.Remove(slot);
    asks_.Remove(&slot->asks);
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
  slot->known_credit = Bucket::Full(policy_.source);
  slot->own_credit = Bucket::Full(policy_.slot);
  slot->sibling = std::exchange(links_.at(link).slots[vrid], slot.get());
  deadlines_.Add(slot.get());
  slot->asks.id = id;
  asks_.Add(&slot->asks);
  if (const auto left = left_.extract(id); !left.empty()) {
    const Resignation& before = left.mapped();
    slot->resigned = before.resigned;
    slot->late_by = before.late_by;
    slot->changed = before.changed;
    slot->resigned_event = before.resigned_event;
  }
  slots_[id] = std::move(slot);
}

void Core::SetPeers(SlotId id, std::vector<Address> peers) {
  if (Slot* slot = Find(id)) slot->peers = std::move(peers);
}

void Core::SetSeal(SlotId id, const AnySeal* seal, std::shared_ptr<SealSenders> senders,
                   std::atomic<SealSequence>* sequence) {
  Slot* slot = Find(id);
  if (slot == nullptr) return;
  auto left = left_seals_.extract(id);
  if (slot->seal == nullptr && !left.empty()) slot->seal = std::move(left.mapped());
  slot->seal = seal == nullptr
                   ? nullptr
                   : MakeSealCheck(*seal, std::move(senders), sequence, slot->seal.get());
}

void Core::RemoveSlot(SlotId id) {
  Slot* slot = Find(id);
  if (slot == nullptr) return;
  std::erase_if(left_,
                [this](const auto& one) { return one.second.resigned_event <= acknowledged_; });
  if (slot->resigned != Resigned::kNo && slot->resigned_event > acknowledged_)
    left_[id] = {slot->resigned, slot->late_by, slot->changed, slot->resigned_event};
  // As many as the table of seals has; slots are numbered upwards, so the first is the oldest.
  if (slot->seal != nullptr) left_seals_[id] = std::move(slot->seal);
  if (left_seals_.size() > SealTable::kEntries) left_seals_.erase(left_seals_.begin());
  Leave(slot);
  deadlines_.Remove(slot);
  asks_.Remove(&slot->asks);
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
  if (slot->tenure != nullptr) std::exchange(slot->tenure, nullptr)->left = true;
  Enter(slot, State::kIdle);
}

// Every change of state passes here: what belongs to the old one is dropped, and what still waits
// to be carried out for a lead that ends here is discarded.
void Core::Enter(Slot* slot, State state) {
  Touch(slot);
  if (state == State::kLead && slot->state != State::kLead) {
    slot->tenure = std::make_shared<Tenure>();
    slot->leased_from = kNever;
  }
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
    slot->overruled.reset();
    slot->heard_one = false;
  }
  if (state == State::kIdle) slot->lead.reset();
  if (state != State::kLead) slot->running.clear();
  deadlines_.Set(slot, kNever);
  slot->ask.reset();
  asks_.Set(&slot->asks, kNever);
}

void Core::Push(const Slot& slot, PlanPtr plan) {
  if (plan->steps.empty() || held_) return;
  Run run;
  run.slot = slot.id;
  run.generation = slot.generation;
  run.plan = std::move(plan);
  run.begun = now_;
  batch_.push_back(std::move(run));
}

void Core::PushForLead(const Slot& slot, PlanPtr plan, int repeat) {
  if (plan->steps.empty() || held_) return;
  Push(slot, std::move(plan));
  batch_.back().tenure = slot.tenure;
  batch_.back().repeat = repeat;
}

void Core::Rearm(Slot* slot) {
  Us due = kNever;
  for (const Running& running : slot->running) due = std::min(due, running.due);
  deadlines_.Set(slot, due);
}

void Core::PreemptedByWarden(Us now) {
  now_ = now;
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
  return std::min({deadlines_.Next(), asks_.Next(), lease});
}

}  // namespace vipd
