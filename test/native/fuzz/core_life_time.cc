// Instants: what is carried out, and what becomes of it.
#include <algorithm>

#include "core_life.h"

namespace vipd {

namespace {

constexpr size_t kOutstandingMax = 4;

}  // namespace

// The main thread's own clock: at times a little behind.
void Life::Renew() {
  const Us at = std::max<Us>(0, now_ - in_.Below(3) * 1000);
  renewed_ = std::max(renewed_, at);
  core_.Renew(at);
}

// The main thread has looked at what it took; at times not at all of it yet.
void Life::WorkOff() {
  const uint64_t acknowledged = taken_ - std::min<uint64_t>(taken_, in_.Below(3));
  for (auto& [id, slot] : slots_)
    if (slot.awaits > acknowledged_ && slot.awaits <= acknowledged) slot.armed = now_;
  acknowledged_ = std::max(acknowledged_, acknowledged);
  core_.Acknowledge(acknowledged, now_);
}

void Life::PreemptedByWarden() {
  TakeOrdered();
  std::set<SlotId> led;
  for (const auto& [id, slot] : slots_)
    if (Leads(id)) led.insert(id);
  const uint64_t before = core_.raised();
  core_.PreemptedByWarden(now_);
  // With its take-over, if that was still being carried out.
  const uint64_t told = core_.raised() - before;
  Require(told >= led.size() && told <= 2 * led.size(), "every lead that was preempted is told");
  for (const SlotId id : led) {
    Require(Idles(id), "a preempted slot idles");
    Resigned(&slots_.at(id), before);
  }
  Batch batch = core_.TakeBatch();
  for (const vipd::Run& run : batch) {
    Require(led.contains(run.slot), "only preempted slots act");
    for (const Step& step : run.plan->steps)
      Require(step.kind != StepKind::kDatagram, "the warden has resigned for it");
  }
  Send(std::move(batch));
}

// What orders have put there: no repeats, no deadlines but those of take-overs that went on under
// another follow. Once that is settled a lead may have lost its lease, and resign.
void Life::TakeOrdered() {
  while (core_.has_batch()) {
    Batch batch = core_.TakeBatch();
    for (const vipd::Run& run : batch) {
      Require(run.repeat == vipd::Run::kNoRepeat, "an order repeats nothing at once");
      const bool ends = run.deadline != vipd::Run::kNoDeadline;
      Require(!ends || led_on_.contains(run.generation), "an order ends no follow");
      Require(ends || !run.plan->steps.empty(), "nothing is no run");
    }
    Send(std::move(batch));
  }
}

void Life::WakeUp() {
  now_ += SomeSpan(&in_) * (in_.Below(8) == 0 ? 10 : 1);
  TakeOrdered();
  std::map<SlotId, Core::Standing> before;
  for (const auto& [id, slot] : slots_) before[id] = core_.StandingOf(id);
  const uint64_t raised = core_.raised();
  core_.Tick(now_);
  Require(core_.NextDeadline() > now_, "no deadline stays in the past");
  Batch batch = core_.TakeBatch();
  CheckRuns(batch, before);
  const bool lapsed = liveness_ > 0 && now_ - renewed_ >= liveness_;
  for (auto& [id, slot] : slots_) CheckTick(id, &slot, before.at(id), raised, lapsed);
  CheckAsked(batch);
  Send(std::move(batch));
}

void Life::CheckTick(SlotId id, Asked* slot, const Core::Standing& before, uint64_t raised,
                     bool lapsed) {
  const bool followed = !before.leads && before.lead != nullptr;
  if (lapsed) Require(!Leads(id), "no slot leads without the lease");
  if (before.lead == nullptr) Require(Idles(id), "an idle slot goes on idling");
  if (before.leads && !Leads(id)) {
    Require(Idles(id), "a slot that gives up its lead idles");
    Require(core_.raised() > raised, "a lead given up is told");
    Resigned(slot, raised);
  }
  if (before.leads && Leads(id)) Require(core_.StandingOf(id).lead == before.lead, "it goes on");
  if (!followed) return;
  Require(!Idles(id), "a follow becomes a lead or goes on");
  const bool unheard = slot->heard > acknowledged_ && !slot->awaited;
  if (Leads(id)) {
    const bool silent = slot->counters->last_received + slot->restart <= now_;
    Require(!unheard || (silent && liveness_ == 0), "what was heard is waited for");
    Require(now_ >= slot->not_before, "no follow ends before its deadline");
    Require(core_.StandingOf(id).lead == before.lead, "a follow becomes what was ordered");
  } else {
    CheckWaiting(slot, lapsed);
  }
}

// It goes on to follow. Once its deadline has passed, only for what was heard before; or it was
// woken late, and listens on its own account.
void Life::CheckWaiting(Asked* slot, bool lapsed) {
  if (lapsed) slot->exact = false;
  if (lapsed || slot->not_before > now_) return;
  const bool unheard = slot->heard > acknowledged_;
  Require(!slot->prompt || unheard, "a follow whose deadline passed leads");
  if (!slot->exact) return void(slot->awaited = true);
  if (slot->awaits > acknowledged_) return void(slot->exact = now_ < slot->limit);
  const Us late_by = now_ - std::max(slot->not_before, slot->armed);
  const bool late = slot->restart > 0 && late_by > slot->late;
  if (late) return void(slot->exact = false);
  Require(unheard && !slot->awaited, "a follow whose deadline passed leads in time");
  slot->awaited = true;
  slot->awaits = slot->heard;
  slot->limit =
      liveness_ > 0 ? renewed_ + liveness_ : slot->counters->last_received + slot->restart;
}

void Life::CheckRuns(const Batch& batch, const std::map<SlotId, Core::Standing>& before) {
  std::set<std::pair<SlotId, int>> repeated;
  std::set<SlotId> ended;
  for (const vipd::Run& run : batch) {
    const auto at = before.find(run.slot);
    Require(at != before.end(), "a run is some slot's");
    Require(at->second.lead != nullptr, "an idle slot does nothing");
    Require(slot_of_.at(run.generation) == run.slot, "a run's generation is its slot's");
    if (run.deadline != vipd::Run::kNoDeadline) {
      Require(!at->second.leads && run.deadline <= now_, "a follow ended in time");
      Require(ended.insert(run.slot).second, "a follow ends once");
      Begin(&slots_.at(run.slot), *at->second.lead);
    }
    if (run.repeat == vipd::Run::kNoRepeat) continue;
    const auto index = static_cast<size_t>(run.repeat);
    const auto& repeats = at->second.lead->repeats;
    Require(index < repeats.size() && run.plan == repeats[index].plan, "a repeat of its lead");
    Require(repeated.insert({run.slot, run.repeat}).second, "what was missed is not made up for");
    Require(at->second.leads || ended.contains(run.slot), "a repeat follows its lead");
  }
  const auto leads = [&](SlotId id) { return before.at(id).leads || ended.contains(id); };
  const std::optional<Us> first = FirstDue(before, leads);
  for (const auto& [id, standing] : before)
    if (leads(id)) CheckRepeats(id, standing, repeated, first);
}

// What is asked before a deadline goes out once for it, and not after it. A follow that was woken
// late may ask for the deadline that it has just set itself.
void Life::CheckAsked(const Batch& batch) {
  std::set<SlotId> asking;
  for (const vipd::Run& run : batch) {
    Asked& slot = slots_.at(run.slot);
    if (slot.ask == nullptr || run.plan != slot.ask) continue;
    Require(asking.insert(run.slot).second, "it asks once at a time");
    Require(Follows(run.slot), "what asks goes on to follow");
    const bool again = std::exchange(slot.asked, true);
    Require(!again || !slot.exact, "it asks once for a deadline");
  }
}

// When the earliest repeat was due that goes out now, kNever when none does; nullopt when some
// lead was refreshed, so that the model does not know.
std::optional<Us> Life::FirstDue(const std::map<SlotId, Core::Standing>& before, auto leads) {
  Us first = kNever;
  for (const auto& [id, standing] : before) {
    if (!leads(id)) continue;
    const Asked& slot = slots_.at(id);
    if (!slot.fresh) return std::nullopt;
    const bool goes_out = slot.due() <= now_ && now_ - slot.due() <= standing.lead->late;
    if (goes_out) first = std::min(first, slot.due());
  }
  return first;
}

void Life::CheckRepeats(SlotId id, const Core::Standing& before,
                        const std::set<std::pair<SlotId, int>>& repeated, std::optional<Us> first) {
  Asked& slot = slots_.at(id);
  if (!slot.fresh) return;
  std::set<int> of_slot;
  for (const auto& run : repeated)
    if (run.first == id) of_slot.insert(run.second);
  const bool late = slot.due() <= now_ && now_ - slot.due() > before.lead->late;
  if (late) return Require(of_slot.empty() && Idles(id), "a lead that is late resigns");
  // What its own repeat that is due takes along goes with that one, not with the first of all.
  if (slot.due() <= now_) first = slot.due();
  for (const int repeat : Advance(&slot, *before.lead))
    Require(of_slot.erase(repeat) == 1, "what is due is repeated, in its phase");
  for (const int repeat : of_slot) Join(&slot, *before.lead, static_cast<size_t>(repeat), first);
}

// The repeats that are due now; each goes on in its phase.
std::set<int> Life::Advance(Asked* slot, const Lead& lead) {
  std::set<int> out;
  for (size_t i = 0; i < slot->repeats.size(); ++i) {
    Progress& progress = slot->repeats[i];
    const Repeat& repeat = lead.repeats[i];
    if (progress.due > now_) continue;
    if (!repeat.plan->steps.empty()) out.insert(static_cast<int>(i));
    if (progress.left > 0) progress.left -= 1;
    if (progress.left == 0 || repeat.every == 0) progress.due = kNever;
    while (progress.due <= now_) progress.due += repeat.every;
  }
  return out;
}

// A repeat that is not due may go with what was due at `first` and keeps its phase from then on;
// where the model does not know when that was, it no longer knows when this one is due.
void Life::Join(Asked* slot, const Lead& lead, size_t index, std::optional<Us> first) {
  Progress& progress = slot->repeats[index];
  const Repeat& repeat = lead.repeats[index];
  Require(progress.due > now_ && progress.due != kNever, "a repeat goes out once");
  Require(progress.due - first.value_or(now_) <= repeat.slack, "a repeat is early in company only");
  if (!first.has_value()) return void(slot->fresh = false);
  if (progress.left > 0) progress.left -= 1;
  progress.due = progress.left == 0 ? kNever : *first + repeat.every;
}

void Life::Send(Batch batch) {
  if (batch.empty()) return;
  CheckCarriedOut(batch, 1 + in_.Below(4), 1 + in_.Below(4));
  for (vipd::Run& run : batch) run.first_at = run.sent_at = run.done_at = now_;
  outstanding_.push_back(std::move(batch));
  if (outstanding_.size() > kOutstandingMax || in_.Below(4) > 0) Settle();
}

// The oldest batch has been carried out, but for what was refused.
void Life::Settle() {
  const Batch batch = std::move(outstanding_.front());
  outstanding_.pop_front();
  std::vector<Failure> failures;
  uint64_t least = 0;
  uint64_t most = 0;
  std::map<SlotId, uint64_t> sent;
  std::map<SlotId, bool> led;  // and with a lease in the kernel
  for (const auto& [id, slot] : slots_)
    if (Leads(id)) led[id] = core_.StandingOf(id).lead->lease > 0;
  for (uint32_t run = 0; run < batch.size(); ++run) {
    const bool refuses = in_.Below(4) == 0;
    const auto& steps = batch[run].plan->steps;
    for (uint32_t step = 0; step < steps.size(); ++step) {
      const bool failed = refuses && in_.Below(2) == 0;
      if (failed) failures.push_back({run, step, "refused", 1 + in_.Below(3), ""});
      sent[batch[run].slot] += !failed && steps[step].kind == StepKind::kDatagram;
      most += failed;
      least += failed && batch[run].repeat == vipd::Run::kNoRepeat;
    }
    const bool ends =
        batch[run].deadline != vipd::Run::kNoDeadline && slots_.contains(batch[run].slot);
    most += ends;
  }
  for (auto& [id, count] : sent)
    if (slots_.contains(id)) count += slots_.at(id).counters->sent;
  const uint64_t before = core_.raised();
  core_.Settle(batch, failures);
  const uint64_t told = core_.raised() - before;
  for (const auto& [id, leased] : led) {
    if (leased) most += 2;
    if (Leads(id)) continue;
    Require(leased && Idles(id), "only a lead that lost its lease ends with what was sent");
    Resigned(&slots_.at(id), before);
  }
  Require(told >= least && told <= most, "what became of a batch is told once");
  for (const auto& [id, count] : sent)
    if (slots_.contains(id))
      Require(slots_.at(id).counters->sent == count, "what was sent is counted");
}

}  // namespace vipd
