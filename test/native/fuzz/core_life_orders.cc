// Orders, and what may be relied on since.
#include <algorithm>

#include "core_life.h"

namespace vipd {

namespace {

// What is given back in the end is the same.
bool SameRequests(const Plan& a, const Plan& b) {
  const auto requests = [](std::vector<Step> steps) {
    std::erase_if(steps, [](const Step& step) { return step.kind != StepKind::kNetlink; });
    return steps;
  };
  return requests(a.steps) == requests(b.steps);
}

}  // namespace

void Life::Order() {
  const SlotId id = SomeSlot();
  if (id == 0) return;
  OrderFor given;
  given.slot = id;
  given.generation = ++last_generation_;
  given.order.kind = static_cast<Order::Kind>(in_.Below(4));
  slot_of_[given.generation] = id;
  const uint64_t acknowledged =
      in_.Below(3) == 0 ? taken_ - std::min<uint64_t>(taken_, in_.Below(8)) : taken_;
  switch (given.order.kind) {
    case Order::Kind::kIdle:
      return OrderIdle(id, std::move(given), acknowledged);
    case Order::Kind::kFollow:
      return OrderFollow(id, std::move(given), acknowledged);
    case Order::Kind::kLead:
      return OrderLead(id, std::move(given), acknowledged);
    case Order::Kind::kOnce:
      return OrderOnce(id, std::move(given), acknowledged);
  }
}

void Life::Apply(OrderFor given, uint64_t acknowledged) {
  renewed_ = now_;
  core_.Apply(std::move(given), acknowledged, now_);
}

void Life::OrderIdle(SlotId id, OrderFor given, uint64_t acknowledged) {
  given.order.now = SomePlan(&in_);
  Apply(std::move(given), acknowledged);
  Require(Idles(id), "a slot ordered to idle idles");
  slots_.at(id).resigned = false;
}

void Life::OrderFollow(SlotId id, OrderFor given, uint64_t acknowledged) {
  Asked& slot = slots_.at(id);
  given.order = SomeFollow(&in_, slot.vrid, now_);
  slot.expect = given.order.expect;
  slot.restart = given.order.restart;
  slot.late = given.order.late;
  slot.ask = given.order.ask;
  slot.asked = false;
  slot.awaited = false;
  slot.awaits = 0;
  slot.prompt = !Follows(id) && slot.restart == 0;
  slot.not_before = given.order.deadline;
  const bool unknown = slot.resigned && slot.resigned_after >= acknowledged;
  if (unknown) slot.not_before = std::max(slot.not_before, now_ + slot.restart);
  slot.armed = now_;
  const LeadPtr lead = given.order.lead;
  const int64_t generation = given.generation;
  const Core::Standing before = core_.StandingOf(id);
  const bool crosses = before.leads && given.order.deadline <= now_;
  // What it has heard, or missed, its author may not know: it listens.
  const bool may_listen = crosses && (slot.heard > acknowledged || !slot.fresh ||
                                      slot.due() < now_ - before.lead->late);
  // A resignation that the author does not know of is not undone by another order in between.
  slot.exact =
      !Follows(id) && !may_listen && !(slot.gave_up && slot.resigned_after >= acknowledged);
  const bool may_go_on = crosses && given.order.now->steps.empty() && !lead->repeats.empty() &&
                         SameRequests(*lead->resign, *before.lead->resign) && !unknown;
  Apply(std::move(given), acknowledged);
  Require(core_.StandingOf(id).lead == lead, "what was ordered last stands");
  Require(Follows(id) || (may_go_on && Leads(id)), "a slot ordered to follow follows");
  slot.resigned = false;
  if (!Leads(id)) return;
  slot.fresh = false;
  led_on_.insert(generation);
}

void Life::OrderLead(SlotId id, OrderFor given, uint64_t acknowledged) {
  Asked& slot = slots_.at(id);
  given.order.lead = SomeLead(&in_);
  const LeadPtr lead = given.order.lead;
  const Core::Standing standing = core_.StandingOf(id);
  const bool led = standing.leads;
  const bool late = led && slot.fresh && slot.due() < now_ - standing.lead->late;
  const bool known = led && slot.fresh;
  const uint64_t before = core_.raised();
  Apply(std::move(given), acknowledged);
  const bool leads = Leads(id);
  if (known) Require(leads == !late, "a lead is refreshed unless it is late");
  if (slot.resigned && slot.resigned_after >= acknowledged)
    Require(!leads, "who does not know of a resignation does not undo it");
  if (leads) {
    Require(core_.StandingOf(id).lead == lead, "the lead that was ordered stands");
    Require(core_.raised() == before, "a lead taken up is no event");
    slot.resigned = false;
    slot.fresh = !led;
    if (!led) Begin(&slot, *lead);
    return;
  }
  // With its take-over, if that was still being carried out.
  const uint64_t told = core_.raised() - before;
  Require(Idles(id) && (told == 1 || (led && told == 2)), "a lead that is not taken up is told");
  Require(led || slot.resigned, "only who resigned refuses a lead");
  Resigned(&slot, before);
}

void Life::OrderOnce(SlotId id, OrderFor given, uint64_t acknowledged) {
  given.order.now = SomePlan(&in_);
  const Core::Standing before = core_.StandingOf(id);
  Apply(std::move(given), acknowledged);
  const Core::Standing after = core_.StandingOf(id);
  Require(before.leads == after.leads && before.lead == after.lead, "also changes no standing");
}

void Life::Begin(Asked* slot, const Lead& lead) {
  slot->fresh = true;
  slot->repeats.clear();
  for (const Repeat& repeat : lead.repeats)
    slot->repeats.push_back({now_ + repeat.first_after, repeat.times});
}

void Life::Resigned(Asked* slot, uint64_t before) {
  slot->resigned = slot->gave_up = true;
  slot->resigned_after = before;
}

}  // namespace vipd
