// The time goes on: the lease, deadlines that pass, repeats that are due.
#include <algorithm>
#include <utility>

#include "engine/core.h"

namespace vipd {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

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

void Core::LoseMaster(SlotId id, const Address& master, Us now) {
  Slot* slot = Find(id);
  if (slot == nullptr || slot->state != State::kFollow || slot->due <= now) return;
  if (slot->waiting || slot->awaits != 0) return;
  const bool follows = slot->expect.has_value() && slot->expect->from == master;
  if (!follows && slot->overruled != master) return;
  slot->armed_at = now;
  deadlines_.Set(slot, now);
}

void Core::Restart(Slot* slot, Us now) {
  StopWaiting(slot);
  slot->awaited = false;
  slot->armed_at = now;
  deadlines_.Set(slot, now + slot->restart);
  if (slot->ask != nullptr) AskBefore(slot, slot->due, now);
}

// Once more, on our own account: the author of the order does not know.
void Core::Listen(Slot* slot, Us now) {
  Restart(slot, now);
  slot->listen_until = slot->due;
}

void Core::AskBefore(Slot* slot, Us deadline, Us now) {
  asks_.Set(&slot->asks, std::max(deadline - slot->ask_before, now));
}

// A deadline that has come as well is not waited with: what was late to ask is not asked. Nor is it
// while the slot waits past its deadline, for the lease or for a judgement.
void Core::Ask(Slot* slot, Us now) {
  asks_.Set(&slot->asks, kNever);
  const bool passed = slot->waiting || slot->awaits != 0 || slot->due <= now;
  if (slot->state == State::kFollow && !passed) Push(*slot, slot->ask);
}

void Core::Tick(Us now) {
  now_ = now;
  // Late before lapsed: both follow from a stopped process, and the first says for how long.
  Us first = kNever;
  while (deadlines_.Next() <= now)
    first = std::min(first, Fire(static_cast<Slot*>(deadlines_.First()), now));
  if (first != kNever) Join(first, now);
  // After the deadlines: a follow that listens once more as of now may have to ask as of now.
  while (asks_.Next() <= now) Ask(Find(asks_.First()->id), now);
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
  const bool absent = late_by > slot->absent;
  if (slot->restart > 0 && late_by > slot->late && (absent || !slot->listened)) {
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
// meanwhile. It is waited for until its lease lapses; without one, as long as packets are heard
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

}  // namespace vipd
