#include "twins.h"

#include <algorithm>
#include <utility>

namespace vipd {

namespace {

constexpr int kOperationsMax = 500;
constexpr LinkId kLink = 1;
constexpr size_t kSlotsMax = 5;
constexpr size_t kOutstandingMax = 3;

// What may be told of unexpected packets begins anew in another process: here it never ends.
const EnginePolicy kPolicy = [] {
  EnginePolicy policy;
  policy.source = policy.new_source = policy.slot = {1, 1'000'000'000};
  policy.packets_waiting = 1'000'000;
  policy.unusual_gap_percent = 150;
  policy.advert_window = 60 * kSecond;
  return policy;
}();

bool SameEvent(const Event& a, const Event& b, SlotId offset) {
  return a.kind == b.kind && a.slot == b.slot - offset && a.link == b.link &&
         a.generation == b.generation && a.at == b.at && a.done_at == b.done_at &&
         a.deadline == b.deadline && a.late_by == b.late_by && a.from == b.from && a.ttl == b.ttl &&
         a.bytes == b.bytes && a.count == b.count && a.step == b.step && a.error == b.error;
}

bool SameRun(const Run& a, const Run& b, SlotId offset) {
  return a.slot == b.slot - offset && a.generation == b.generation && a.repeat == b.repeat &&
         a.deadline == b.deadline && a.begun == b.begun && a.plan->steps == b.plan->steps &&
         (a.tenure == nullptr) == (b.tenure == nullptr);
}

// As TypeScript orders it in a process that goes on: nothing at once.
Order GoingOn(const Order& order) {
  Order out = order;
  if (order.kind == Order::Kind::kLead) {
    auto lead = std::make_shared<Lead>(*order.lead);
    lead->now = MakePlan({});
    out.lead = lead;
  } else {
    out.now = MakePlan({});
  }
  return out;
}

}  // namespace

Twins::Twins(Input* in)
    : in_(*in), liveness_(in->Below(3) * kSecond), alone_(MakeSide(0)), going_on_(MakeSide(0)) {}

Twins::Side Twins::MakeSide(SlotId offset) {
  Side side;
  side.core = std::make_unique<Core>(kPolicy, liveness_, now_);
  side.offset = offset;
  side.core->AddLink(kLink, std::make_shared<LinkCounters>());
  return side;
}

void Twins::AddSlotTo(Side* side, SlotId id, const Asked& asked) {
  const auto counters = std::make_shared<SlotCounters>(kPolicy);
  side->counters[id] = counters;
  side->core->AddSlot(id + side->offset, asked.link, asked.vrid, {}, counters);
}

template <typename Act>
void Twins::Both(Act act) {
  act(&alone_);
  act(&going_on_);
}

void Twins::Run() {
  for (int i = 0; i < kOperationsMax && !in_.empty(); ++i) {
    Operate();
    Compare();
  }
}

void Twins::Operate() {
  switch (in_.Below(16)) {
    case 0:
      return AddSlot();
    case 1:
      return in_.Below(4) == 0 ? RemoveSlot() : LoseMaster();
    case 2:
    case 3:
    case 4:
      return GiveOrder();
    case 5:
    case 6:
    case 7:
      return Packet();
    case 8:
      return in_.Below(2) == 0 ? Renew() : Acknowledge();
    case 9:
      return in_.Below(4) == 0 ? Preempt() : Settle();
    case 10:
      return TakeEvents();
    case 11:
    case 12:
      return PassOn();
    default:
      return WakeUp();
  }
}

SlotId Twins::SomeSlot() {
  if (slots_.empty()) return 0;
  return std::next(slots_.begin(), in_.Below(static_cast<int>(slots_.size())))->first;
}

void Twins::AddSlot() {
  Asked asked;
  asked.link = kLink;
  asked.vrid = static_cast<uint8_t>(1 + in_.Below(kVrids));
  const auto same = [&](const auto& entry) { return entry.second.vrid == asked.vrid; };
  if (slots_.size() == kSlotsMax || std::ranges::any_of(slots_, same)) return;
  const SlotId id = ++last_slot_;
  asked.order.slot = id;
  asked.order.order.now = MakePlan({});
  Both([&](Side* side) { AddSlotTo(side, id, asked); });
  slots_[id] = std::move(asked);
  held_.reset();
}

void Twins::RemoveSlot() {
  const SlotId id = SomeSlot();
  if (id == 0) return;
  Both([&](Side* side) { side->core->RemoveSlot(id + side->offset); });
  slots_.erase(id);
  held_.reset();
}

void Twins::GiveOrder() {
  const SlotId id = SomeSlot();
  if (id == 0) return;
  Order order;
  order.kind = static_cast<Order::Kind>(in_.Below(4));
  if (order.kind == Order::Kind::kFollow) order = SomeFollow(&in_, slots_.at(id).vrid, now_);
  if (order.kind == Order::Kind::kLead) order.lead = SomeLead(&in_);
  if (order.now == nullptr) order.now = SomePlan(&in_);
  // What was acknowledged before the slots changed hands stays so.
  const uint64_t behind = in_.Below(3) == 0 ? std::min<uint64_t>(since_, in_.Below(6)) : 0;
  Apply(id, order, behind);
}

void Twins::Apply(SlotId id, const Order& order, uint64_t behind) {
  const int64_t generation = ++last_generation_;
  Both([&](Side* side) {
    side->core->Apply({id + side->offset, generation, order}, side->taken - behind, now_);
  });
  Asked& asked = slots_.at(id);
  asked.order.generation = generation;
  stale_ = true;
  if (order.kind == Order::Kind::kOnce) return;
  asked.order.order = order;
  asked.stands_since = generation;
}

void Twins::Packet() {
  const SlotId id = SomeSlot();
  if (id == 0) return;
  const Asked& asked = slots_.at(id);
  Address from = SomeSource(&in_);
  Bytes payload = {0x31, asked.vrid, static_cast<uint8_t>(in_.Below(3))};
  int ttl = 255;
  const auto& expect = asked.order.order.expect;
  if (in_.Below(3) > 0 && expect.has_value() && expect->payload.size() >= 2 &&
      expect->payload[1] == asked.vrid) {
    from = expect->from;
    payload = expect->payload;
  }
  Both([&](Side* side) { side->core->Receive(kLink, {from, ttl, {}, payload}, now_); });
}

void Twins::Renew() {
  Both([&](Side* side) { side->core->Renew(now_); });
}

void Twins::Acknowledge() {
  const uint64_t behind = std::min<uint64_t>(since_, in_.Below(3));
  Both([&](Side* side) { side->core->Acknowledge(side->taken - behind, now_); });
}

void Twins::Preempt() {
  Both([&](Side* side) { side->core->PreemptedByWarden(now_); });
  CarryOut();
}

void Twins::LoseMaster() {
  const SlotId id = SomeSlot();
  if (id == 0) return;
  const Address master = SomeSource(&in_);
  Both([&](Side* side) { side->core->LoseMaster(id + side->offset, master, now_); });
}

void Twins::WakeUp() {
  now_ += SomeSpan(&in_) * (in_.Below(8) == 0 ? 10 : 1);
  Both([&](Side* side) { side->core->Tick(now_); });
  CarryOut();
}

void Twins::CarryOut() {
  std::pair<Batch, Batch> both = {alone_.core->TakeBatch(), going_on_.core->TakeBatch()};
  auto& [a, b] = both;
  Require(std::ranges::equal(
              a, b, [&](const auto& x, const auto& y) { return SameRun(x, y, going_on_.offset); }),
          "the same is done");
  if (a.empty()) return;
  for (Batch* batch : {&a, &b})
    for (vipd::Run& run : *batch) run.first_at = run.sent_at = run.done_at = now_;
  outstanding_.push_back(std::move(both));
  if (outstanding_.size() > kOutstandingMax || in_.Below(4) > 0) Settle();
}

void Twins::Settle() {
  if (outstanding_.empty()) return;
  const auto [a, b] = std::move(outstanding_.front());
  outstanding_.erase(outstanding_.begin());
  std::vector<Failure> failures;
  for (uint32_t run = 0; run < a.size(); ++run)
    for (uint32_t step = 0; step < a[run].plan->steps.size(); ++step)
      if (in_.Below(6) == 0) failures.push_back({run, step, "refused", 1 + in_.Below(3), ""});
  alone_.core->Settle(a, failures);
  going_on_.core->Settle(b, failures);
}

void Twins::TakeEvents() {
  const auto a = alone_.core->TakeEvents();
  const auto b = going_on_.core->TakeEvents();
  Require(
      std::ranges::equal(
          a, b, [&](const auto& x, const auto& y) { return SameEvent(x, y, going_on_.offset); }),
      "the same is told");
  for (const Event& event : a) Note(event);
  since_ += a.size();
  Both([&](Side* side) { side->taken += a.size(); });
}

// How the slot stands by now, as its author knows it.
void Twins::Note(const Event& event) {
  const auto found = slots_.find(event.slot);
  if (found == slots_.end() || event.generation < found->second.stands_since) return;
  Order& order = found->second.order.order;
  stale_ = true;
  if (event.kind == Event::Kind::kExpired && order.kind == Order::Kind::kFollow)
    order.kind = Order::Kind::kLead;
  if (event.kind != Event::Kind::kLate && event.kind != Event::Kind::kLapsed) return;
  order = Order();
  order.now = MakePlan({});
}

// Everything that was told is acknowledged, and nothing is under way.
bool Twins::IsQuiet() {
  while (!outstanding_.empty()) Settle();
  TakeEvents();
  Both([&](Side* side) { side->core->Acknowledge(side->taken, now_); });
  Both([&](Side* side) { side->core->Renew(now_); });
  Both([&](Side* side) { side->core->Tick(now_); });
  CarryOut();
  while (!outstanding_.empty()) Settle();
  return !going_on_.core->has_events() && !going_on_.core->has_batch();
}

// By a state; again by a later one, in the same core.
void Twins::Adopt(Side* held) const {
  for (const auto& [id, asked] : slots_)
    held->core->Apply({id + held->offset, asked.order.generation, GoingOn(asked.order.order)}, 0,
                      now_);
  Require(!held->core->has_batch() && !held->core->has_events(), "nothing is done before");
}

// The slots become another core's; or that one is told, and they are taken back.
void Twins::PassOn() {
  if (!IsQuiet()) return;
  std::vector<ExchangeEntry> told;
  if (!going_on_.core->Tell(&told)) return;
  if (held_ == nullptr) {
    held_ = std::make_unique<Side>(MakeSide(next_offset_ += 100));
    held_->core->Hold();
    for (const auto& [id, asked] : slots_) AddSlotTo(held_.get(), id, asked);
    stale_ = true;
  }
  if (std::exchange(stale_, false)) Adopt(held_.get());
  const SlotId by = held_->offset - going_on_.offset;
  for (const ExchangeEntry& entry : told)
    Require(held_->core->TakeUp(entry, entry.slot + by), "the slots stand as they are ordered");
  if (in_.Below(3) == 0) return;
  held_->core->Release();
  held_->core->Renew(now_);
  going_on_ = std::move(*held_);
  held_.reset();
  since_ = 0;
}

void Twins::Compare() {
  Require(alone_.core->NextDeadline() == going_on_.core->NextDeadline(),
          "the next deadline is the same");
  for (const auto& [id, asked] : slots_) {
    const Core::Standing a = alone_.core->StandingOf(id);
    const Core::Standing b = going_on_.core->StandingOf(id + going_on_.offset);
    Require(a.leads == b.leads && (a.lead == nullptr) == (b.lead == nullptr), "they stand alike");
    const SlotCounters& x = *alone_.counters.at(id);
    const SlotCounters& y = *going_on_.counters.at(id);
    Require(x.sent == y.sent && x.received == y.received, "the same is counted");
    Require(x.last_sent == y.last_sent && x.last_received == y.last_received &&
                x.last_expected == y.last_expected,
            "what was last is the same");
  }
}

}  // namespace vipd
