// The core under any sequence of orders, packets, instants and failures: the input is read as a
// list of operations, and beside the core stands a small model of what its contract promises. The
// model knows only what the outside knows: how a slot stands before and after, which runs and
// events come out, and what it asked for itself.
#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "engine/core.h"
#include "fuzz.h"

namespace vipd {

namespace {

constexpr Us kSecond = 1'000'000;
constexpr int kOperationsMax = 600;
constexpr int kLinks = 3;
constexpr int kVrids = 6;
constexpr size_t kSlotsMax = 10;
constexpr size_t kOutstandingMax = 4;

// Not the shipped numbers: no promise of the core depends on them.
const EnginePolicy kPolicy = [] {
  EnginePolicy policy;
  policy.source = {5'000, 50};
  policy.new_source = {1'000, 250};
  policy.slot = {125'000, 8};
  policy.packets_waiting = 1'024;
  policy.unusual_gap_percent = 150;
  policy.advert_window = 60 * kSecond;
  return policy;
}();

struct Progress {
  Us due = kNever;
  int64_t left = Repeat::kForever;
};

// What was asked for one slot and what may be relied on since.
struct Asked {
  LinkId link = 0;
  uint8_t vrid = 0;
  std::vector<Address> peers;
  std::shared_ptr<SlotCounters> counters = std::make_shared<SlotCounters>(kPolicy);
  std::optional<ExpectedAdvert> expect;
  Us restart = 0;
  Us late = 0;
  Us not_before = 0;            // a follow may not end earlier
  bool prompt = false;          // nor, without a restart, later: it does not listen again
  Us armed = 0;                 // when `not_before` was set, and
  bool exact = false;           // nor then later, unless it is woken late or the lease lapses
  uint64_t resigned_after = 0;  // `raised` before the resignation that no order has answered yet
  bool resigned = false;
  bool gave_up = false;  // it has resigned at least once
  uint64_t heard = 0;    // `raised` after the last packet that was told
  uint64_t awaits = 0;   // that one, at a deadline that passed before it was acknowledged;
  Us limit = 0;          // it is waited for no longer than until then,
  bool awaited = false;  // and only once
  bool fresh = false;    // its lead has not been refreshed: `repeats` is what the core has too
  std::vector<Progress> repeats;

  Us due() const {
    Us earliest = kNever;
    for (const Progress& repeat : repeats) earliest = std::min(earliest, repeat.due);
    return earliest;
  }
};

class Life {
 public:
  explicit Life(Input* in)
      : in_(*in),
        liveness_(in->Below(3) * kSecond),
        core_(kPolicy, liveness_, now_),
        renewed_(now_) {
    for (LinkId link = 1; link <= kLinks; ++link) AddLink(link);
  }

  void Run() {
    for (int i = 0; i < kOperationsMax && !in_.empty(); ++i) {
      Operate();
      CheckSlots();
    }
    while (!outstanding_.empty()) Settle();
    TakeEvents();
  }

 private:
  void Operate() {
    switch (in_.Below(16)) {
      case 0:
        return AddSlot();
      case 1:
        return RemoveSlot();
      case 2:
        return ToggleLink();
      case 3:
      case 4:
      case 5:
      case 6:
        return Order();
      case 7:
      case 8:
        return Packet();
      case 9:
        return Flood();
      case 10:
        return in_.Below(2) == 0 ? Renew() : WorkOff();
      case 11:
        return PreemptedByWarden();
      case 12:
        return outstanding_.empty() ? TakeTouched() : Settle();
      case 13:
        return in_.Below(2) == 0 ? TakeEvents() : Kernel();
      default:
        return WakeUp();
    }
  }

  void AddLink(LinkId link) {
    auto counters = std::make_shared<LinkCounters>();
    links_[link] = counters;
    core_.AddLink(link, counters);
  }

  void ToggleLink() {
    const LinkId link = 1 + in_.Below(kLinks);
    if (!links_.contains(link)) return AddLink(link);
    core_.RemoveLink(link);
    received_.erase(links_.at(link).get());
    links_.erase(link);
    for (auto at = slots_.begin(); at != slots_.end();) {
      const bool gone = at->second.link == link;
      if (gone) removed_[at->first] = core_.raised();
      at = gone ? slots_.erase(at) : std::next(at);
    }
  }

  void AddSlot() {
    Asked slot;
    slot.link = 1 + in_.Below(kLinks);
    slot.vrid = static_cast<uint8_t>(1 + in_.Below(kVrids));
    if (slots_.size() == kSlotsMax || !links_.contains(slot.link)) return;
    if (in_.Below(2) == 0) slot.peers = {SomeSource()};
    if (!IsFree(slot)) return;
    const SlotId id = ++last_slot_;
    core_.AddSlot(id, slot.link, slot.vrid, slot.peers, slot.counters);
    slots_[id] = std::move(slot);
    Require(Idles(id), "a new slot idles");
  }

  void RemoveSlot() {
    const SlotId id = SomeSlot();
    if (id == 0) return;
    core_.RemoveSlot(id);
    slots_.erase(id);
    removed_[id] = core_.raised();
  }

  // No other slot of its link and VRID, or peers on all sides and none of them shared.
  bool IsFree(const Asked& wanted) const {
    return std::ranges::none_of(slots_, [&](const auto& entry) {
      const Asked& slot = entry.second;
      const bool same = slot.link == wanted.link && slot.vrid == wanted.vrid;
      const bool alone = slot.peers.empty() || wanted.peers.empty();
      return same && (alone || slot.peers == wanted.peers);
    });
  }

  // A VRID that is one slot's alone is raised whatever the source.
  Asked* SlotOf(LinkId link, uint8_t vrid, const Address& from) {
    std::vector<Asked*> all;
    for (auto& [id, slot] : slots_)
      if (slot.link == link && slot.vrid == vrid) all.push_back(&slot);
    if (all.size() == 1) return all.front();
    for (Asked* slot : all)
      if (std::ranges::find(slot->peers, from) != slot->peers.end()) return slot;
    return nullptr;
  }

  // 0: there is none.
  SlotId SomeSlot() {
    if (slots_.empty()) return 0;
    return std::next(slots_.begin(), in_.Below(static_cast<int>(slots_.size())))->first;
  }

  bool Idles(SlotId id) const { return core_.StandingOf(id).lead == nullptr; }
  bool Leads(SlotId id) const { return core_.StandingOf(id).leads; }
  bool Follows(SlotId id) const { return !Idles(id) && !Leads(id); }

  LeadPtr SomeLead() {
    auto lead = std::make_shared<Lead>();
    lead->now = SomePlan(&in_);
    lead->resign = SomePlan(&in_);
    lead->late = in_.Below(8) * kSecond / 4;
    for (int left = in_.Below(4); left > 0; --left) {
      Repeat repeat;
      repeat.key = static_cast<char>('a' + in_.Below(3));
      repeat.first_after = SomeSpan();
      repeat.every = SomeSpan();
      repeat.times = in_.Below(3) == 0 ? Repeat::kForever : 1 + in_.Below(4);
      if (repeat.every == 0) repeat.times = 1;
      repeat.plan = SomePlan(&in_);
      const bool joins = repeat.every > 0 && !repeat.plan->steps.empty() && in_.Below(2) == 0;
      if (joins) repeat.slack = SomeSpan() % repeat.every;
      lead->repeats.push_back(std::move(repeat));
    }
    return lead;
  }

  Us SomeSpan() {
    const int scale = in_.Below(4);
    return in_.Below(256) * (scale == 0 ? 0 : scale == 1 ? 100 : scale == 2 ? 10'000 : 100'000);
  }

  void Order() {
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

  void Apply(OrderFor given, uint64_t acknowledged) {
    renewed_ = now_;
    core_.Apply(std::move(given), acknowledged, now_);
  }

  void OrderIdle(SlotId id, OrderFor given, uint64_t acknowledged) {
    given.order.now = SomePlan(&in_);
    Apply(std::move(given), acknowledged);
    Require(Idles(id), "a slot ordered to idle idles");
    slots_.at(id).resigned = false;
  }

  void OrderFollow(SlotId id, OrderFor given, uint64_t acknowledged) {
    Asked& slot = slots_.at(id);
    given.order.now = SomePlan(&in_);
    given.order.lead = SomeLead();
    given.order.restart = SomeSpan();
    given.order.late = given.order.restart / (1 + in_.Below(4));
    given.order.absent = given.order.restart;
    given.order.deadline = std::max<Us>(0, now_ + SomeSpan() - SomeSpan());
    if (in_.Below(3) > 0) given.order.expect = ExpectedAdvert{SomeSource(), 255, SomePayload()};
    if (given.order.expect.has_value() && in_.Below(4) > 0)
      given.order.expect->payload = {0x31, slot.vrid};
    slot.expect = given.order.expect;
    slot.restart = given.order.restart;
    slot.late = given.order.late;
    slot.awaited = false;
    slot.awaits = 0;
    slot.prompt = !Follows(id) && slot.restart == 0;
    slot.not_before = given.order.deadline;
    const bool unknown = slot.resigned && slot.resigned_after >= acknowledged;
    if (unknown) slot.not_before = std::max(slot.not_before, now_ + slot.restart);
    slot.armed = now_;
    // A resignation that the author does not know of is not undone by another order in between.
    slot.exact = !Follows(id) && !(slot.gave_up && slot.resigned_after >= acknowledged);
    const LeadPtr lead = given.order.lead;
    const Core::Standing before = core_.StandingOf(id);
    const bool may_go_on = before.leads && given.order.deadline <= now_ &&
                           given.order.now->steps.empty() && !lead->repeats.empty() &&
                           lead->resign->steps == before.lead->resign->steps && !unknown;
    Apply(std::move(given), acknowledged);
    Require(core_.StandingOf(id).lead == lead, "what was ordered last stands");
    Require(Follows(id) || (may_go_on && Leads(id)), "a slot ordered to follow follows");
    slot.resigned = false;
    if (Leads(id)) slot.fresh = false;
  }

  void OrderLead(SlotId id, OrderFor given, uint64_t acknowledged) {
    Asked& slot = slots_.at(id);
    given.order.lead = SomeLead();
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
    Require(Idles(id) && core_.raised() == before + 1, "a lead that is not taken up is told");
    Require(led || slot.resigned, "only who resigned refuses a lead");
    Resigned(&slot, before);
  }

  void Begin(Asked* slot, const Lead& lead) {
    slot->fresh = true;
    slot->repeats.clear();
    for (const Repeat& repeat : lead.repeats)
      slot->repeats.push_back({now_ + repeat.first_after, repeat.times});
  }

  // The repeats that are due now; each goes on in its phase.
  std::set<int> Advance(Asked* slot, const Lead& lead) {
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
  void Join(Asked* slot, const Lead& lead, size_t index, std::optional<Us> first) {
    Progress& progress = slot->repeats[index];
    const Repeat& repeat = lead.repeats[index];
    Require(progress.due > now_ && progress.due != kNever, "a repeat goes out once");
    Require(progress.due - first.value_or(now_) <= repeat.slack,
            "a repeat is early in company only");
    if (!first.has_value()) return void(slot->fresh = false);
    if (progress.left > 0) progress.left -= 1;
    progress.due = progress.left == 0 ? kNever : *first + repeat.every;
  }

  void OrderOnce(SlotId id, OrderFor given, uint64_t acknowledged) {
    given.order.now = SomePlan(&in_);
    const Core::Standing before = core_.StandingOf(id);
    Apply(std::move(given), acknowledged);
    const Core::Standing after = core_.StandingOf(id);
    Require(before.leads == after.leads && before.lead == after.lead, "also changes no standing");
  }

  static void Resigned(Asked* slot, uint64_t before) {
    slot->resigned = slot->gave_up = true;
    slot->resigned_after = before;
  }

  Address SomeSource() {
    Address from;
    from.length = in_.Below(2) == 0 ? 4 : 16;
    from.octets[3] = static_cast<uint8_t>(in_.Below(3));
    return from;
  }

  Bytes SomePayload() {
    Bytes payload = {0x31, static_cast<uint8_t>(1 + in_.Below(kVrids)),
                     static_cast<uint8_t>(in_.Below(3))};
    payload.resize(static_cast<size_t>(in_.Below(5)));
    return payload;
  }

  void Packet() {
    const LinkId link = 1 + in_.Below(kLinks);
    const Address from = SomeSource();
    if (in_.Below(8) == 0) return Unreadable(link);
    // Half of the packets are what some slot expects.
    const SlotId id = SomeSlot();
    if (in_.Below(2) == 0 && id != 0 && slots_.at(id).expect.has_value()) {
      const ExpectedAdvert expected = *slots_.at(id).expect;
      return Receive(slots_.at(id).link, expected.from, expected.ttl, expected.payload);
    }
    Receive(link, from, 254 + in_.Below(2), SomePayload());
  }

  void Unreadable(LinkId link) {
    core_.Unclaimed(link);
    if (!links_.contains(link)) return;
    Require(++received_[links_.at(link).get()] == links_.at(link)->received,
            "every packet is counted");
  }

  void Receive(LinkId link, const Address& from, int ttl, const Bytes& payload) {
    const uint64_t raised = core_.raised();
    const Us next = core_.NextDeadline();
    const auto known = links_.find(link);
    if (known == links_.end()) {
      core_.Receive(link, {from, ttl, {}, payload}, now_);
      return Require(core_.raised() == raised, "a link that is gone hears nothing");
    }
    const LinkCounters& counters = *known->second;
    const uint64_t dropped = counters.throttled + counters.coalesced;
    const uint64_t unclaimed = counters.unclaimed;
    core_.Receive(link, {from, ttl, {}, payload}, now_);
    Require(++received_[&counters] == counters.received, "every packet is counted");
    const uint64_t told =
        core_.raised() - raised + counters.throttled + counters.coalesced - dropped;
    Asked* slot = payload.size() < 2 ? nullptr : SlotOf(link, payload[1], from);
    Require(counters.unclaimed - unclaimed == (slot == nullptr ? 1u : 0u),
            "unclaimed, or a slot's");
    if (slot == nullptr)
      return Require(told <= 1 && core_.NextDeadline() == next, "a VRID of no slot is told once");
    if (Idles(IdOf(slot)))
      return Require(told == 0 && core_.NextDeadline() == next, "an idle slot is deaf");
    const auto& expect = slot->expect;
    const bool expected = Follows(IdOf(slot)) && expect.has_value() && expect->from == from &&
                          expect->ttl == ttl && expect->payload == payload;
    if (core_.raised() > raised) slot->heard = core_.raised();
    if (!expected)
      return Require(told == 1 && core_.NextDeadline() == next,
                     "told, counted together or throttled");
    Require(told == 0 && slot->counters->last_expected == now_, "the expected is not told");
    slot->awaited = false;
    slot->awaits = 0;
    slot->not_before = now_ + slot->restart;
    slot->armed = now_;
    slot->exact = true;
    Require(core_.NextDeadline() <= slot->not_before, "the expected restarts the deadline");
  }

  SlotId IdOf(const Asked* slot) const {
    for (const auto& [id, other] : slots_)
      if (&other == slot) return id;
    return 0;
  }

  // Many sources, a moment apart.
  void Flood() {
    const LinkId link = 1 + in_.Below(kLinks);
    const Bytes payload = {0x31, static_cast<uint8_t>(1 + in_.Below(kVrids))};
    const Us apart = in_.Below(4) * 400;
    Address from;
    from.length = 4;
    for (int left = 4 * in_.Below(256); left > 0; --left) {
      now_ += apart;
      from.octets[1] = static_cast<uint8_t>(left >> 8);
      from.octets[2] = static_cast<uint8_t>(left);
      Receive(link, from, 255, payload);
    }
  }

  // The main thread's own clock: at times a little behind.
  void Renew() {
    const Us at = std::max<Us>(0, now_ - in_.Below(3) * 1000);
    renewed_ = std::max(renewed_, at);
    core_.Renew(at);
  }

  // The main thread has looked at what it took; at times not at all of it yet.
  void WorkOff() {
    const uint64_t acknowledged = taken_ - std::min<uint64_t>(taken_, in_.Below(3));
    for (auto& [id, slot] : slots_)
      if (slot.awaits > acknowledged_ && slot.awaits <= acknowledged) slot.armed = now_;
    acknowledged_ = std::max(acknowledged_, acknowledged);
    core_.Acknowledge(acknowledged, now_);
  }

  void Kernel() {
    for (int left = 1 + in_.Below(2) * 5'000; left > 0; --left) {
      Event event;
      event.kind = Event::Kind::kKernel;
      core_.Raise(std::move(event));
    }
  }

  void PreemptedByWarden() {
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

  // What orders have put there: no repeats, no deadlines.
  void TakeOrdered() {
    Batch batch = core_.TakeBatch();
    for (const vipd::Run& run : batch) {
      Require(run.repeat == vipd::Run::kNoRepeat, "an order repeats nothing at once");
      Require(run.deadline == vipd::Run::kNoDeadline, "an order ends no follow");
      Require(!run.plan->steps.empty(), "nothing is no run");
    }
    Send(std::move(batch));
  }

  void WakeUp() {
    now_ += SomeSpan() * (in_.Below(8) == 0 ? 10 : 1);
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
    Send(std::move(batch));
  }

  void CheckTick(SlotId id, Asked* slot, const Core::Standing& before, uint64_t raised,
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
  void CheckWaiting(Asked* slot, bool lapsed) {
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

  void CheckRuns(const Batch& batch, const std::map<SlotId, Core::Standing>& before) {
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

  // When the earliest repeat was due that goes out now, kNever when none does; nullopt when some
  // lead was refreshed, so that the model does not know.
  std::optional<Us> FirstDue(const std::map<SlotId, Core::Standing>& before, auto leads) {
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

  void CheckRepeats(SlotId id, const Core::Standing& before,
                    const std::set<std::pair<SlotId, int>>& repeated, std::optional<Us> first) {
    Asked& slot = slots_.at(id);
    if (!slot.fresh) return;
    std::set<int> of_slot;
    for (const auto& run : repeated)
      if (run.first == id) of_slot.insert(run.second);
    const bool late = slot.due() <= now_ && now_ - slot.due() > before.lead->late;
    if (late) return Require(of_slot.empty() && Idles(id), "a lead that is late resigns");
    for (const int repeat : Advance(&slot, *before.lead))
      Require(of_slot.erase(repeat) == 1, "what is due is repeated, in its phase");
    for (const int repeat : of_slot) Join(&slot, *before.lead, static_cast<size_t>(repeat), first);
  }

  void Send(Batch batch) {
    if (batch.empty()) return;
    CheckCarriedOut(batch, 1 + in_.Below(4), 1 + in_.Below(4));
    for (vipd::Run& run : batch) run.first_at = run.sent_at = run.done_at = now_;
    outstanding_.push_back(std::move(batch));
    if (outstanding_.size() > kOutstandingMax || in_.Below(4) > 0) Settle();
  }

  // The oldest batch has been carried out, but for what was refused.
  void Settle() {
    const Batch batch = std::move(outstanding_.front());
    outstanding_.pop_front();
    std::vector<Failure> failures;
    uint64_t least = 0;
    uint64_t most = 0;
    std::map<SlotId, uint64_t> sent;
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
    Require(told >= least && told <= most, "what became of a batch is told once");
    for (const auto& [id, count] : sent)
      if (slots_.contains(id))
        Require(slots_.at(id).counters->sent == count, "what was sent is counted");
  }

  void TakeEvents() {
    const uint64_t first = taken_ + 1;
    const std::vector<Event> events = core_.TakeEvents();
    size_t heard = 0;
    size_t kernel = 0;
    for (size_t i = 0; i < events.size(); ++i) {
      heard += events[i].kind == Event::Kind::kPacket;
      kernel += events[i].kind == Event::Kind::kKernel;
      CheckEvent(events[i], first + i);
    }
    taken_ += events.size();
    Require(taken_ == core_.raised(), "every event raised is handed over");
    // Beyond the bound only what was expected last comes through, once for each generation, and a
    // few packets of each slot.
    const auto generations = static_cast<size_t>(last_generation_ - generation_taken_) + kSlotsMax;
    const size_t slots = kSlotsMax + static_cast<size_t>(last_slot_ - slot_taken_);
    const auto earned = static_cast<size_t>((now_ - taken_at_) / kPolicy.slot.every);
    const size_t own = slots * (static_cast<size_t>(kPolicy.slot.burst) + earned + 1);
    Require(heard <= kPolicy.packets_waiting + generations + own, "what was heard is bounded");
    slot_taken_ = last_slot_;
    taken_at_ = now_;
    Require(kernel <= Core::kKernelMax, "what the kernel told is bounded");
    generation_taken_ = last_generation_;
  }

  void CheckEvent(const Event& event, uint64_t number) {
    Require(event.at <= now_, "nothing happened in the future");
    if (event.kind == Event::Kind::kKernel || event.kind == Event::Kind::kOverrun) return;
    if (event.kind == Event::Kind::kStranger) return;
    const auto slot = slot_of_.find(event.generation);
    Require(slot != slot_of_.end() && slot->second == event.slot, "an event's generation is known");
    // What could not be undone is still told.
    const auto removed = removed_.find(event.slot);
    if (removed != removed_.end() && event.kind != Event::Kind::kFailed)
      Require(number <= removed->second, "a slot that is gone is silent");
    if (event.kind == Event::Kind::kPacket) Require(event.count > 0, "what was heard was heard");
    if (event.kind == Event::Kind::kExpired) {
      Require(event.deadline <= event.at, "a deadline ends in time");
      Require(!told_resigned_.contains(event.generation),
              "a take-over is told before the end of the lead that it began");
    }
    if (event.kind == Event::Kind::kLate || event.kind == Event::Kind::kLapsed)
      told_resigned_.insert(event.generation);
    if (event.kind == Event::Kind::kLate) Require(event.late_by >= 0, "late is not early");
  }

  // A reader that keeps a copy of every standing by what is touched has the right one.
  void TakeTouched() {
    const std::vector<SlotId> touched = core_.TakeTouched();
    for (const SlotId id : touched) copies_[id] = core_.StandingOf(id);
    for (const auto& [id, slot] : slots_) {
      const Core::Standing now = core_.StandingOf(id);
      const Core::Standing& copy = copies_[id];
      Require(copy.leads == now.leads && copy.lead == now.lead, "a change of standing is touched");
    }
    for (const auto& [id, raised] : removed_) Require(copies_[id].lead == nullptr, "so is an end");
  }

  void CheckSlots() {
    const std::vector<SlotId> ids = core_.Slots();
    const auto same = [](SlotId id, const auto& entry) { return id == entry.first; };
    Require(std::ranges::equal(ids, slots_, same), "the slots are those that were added");
    for (const Batch& batch : outstanding_)
      for (const vipd::Run& run : batch)
        if (run.tenure != nullptr && !run.tenure->over && slots_.contains(run.slot))
          Require(Leads(run.slot), "what waits for a lead is discarded with it");
  }

  Input& in_;
  Us now_ = 0;
  const Us liveness_;
  Core core_;
  Us renewed_;
  std::map<LinkId, std::shared_ptr<LinkCounters>> links_;
  std::map<const LinkCounters*, uint64_t> received_;
  std::map<SlotId, Asked> slots_;
  std::map<SlotId, uint64_t> removed_;  // slot → `raised` at its end
  std::map<int64_t, SlotId> slot_of_;   // by generation
  std::map<SlotId, Core::Standing> copies_;
  std::deque<Batch> outstanding_;
  std::set<int64_t> told_resigned_;
  SlotId last_slot_ = 0;
  SlotId slot_taken_ = 0;
  Us taken_at_ = 0;
  int64_t last_generation_ = 0;
  int64_t generation_taken_ = 0;
  uint64_t taken_ = 0;
  uint64_t acknowledged_ = 0;
};

}  // namespace

}  // namespace vipd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vipd::Input in({data, size});
  vipd::Life(&in).Run();
  return 0;
}
