// The core under any sequence of orders, packets, instants and failures: the input is read as a
// list of operations, and beside the core stands a small model of what its contract promises. The
// model knows only what the outside knows: how a slot stands before and after, which runs and
// events come out, and what it asked for itself.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "core_inputs.h"

namespace vipd {

constexpr int kLinks = 3;
constexpr size_t kSlotsMax = 10;

// Not the shipped numbers: no promise of the core depends on them.
inline const EnginePolicy kPolicy = [] {
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
  PlanPtr ask;                  // what goes out before the deadline, or null,
  bool asked = false;           // and has, for this one
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
  explicit Life(Input* in);
  void Run();

 private:
  void Operate();
  void AddLink(LinkId link);
  void ToggleLink();
  void AddSlot();
  void RemoveSlot();
  bool IsFree(const Asked& wanted) const;
  Asked* SlotOf(LinkId link, uint8_t vrid, const Address& from);
  SlotId SomeSlot();
  void TakeTouched();
  void CheckSlots();
  bool Idles(SlotId id) const { return core_.StandingOf(id).lead == nullptr; }
  bool Leads(SlotId id) const { return core_.StandingOf(id).leads; }
  bool Follows(SlotId id) const { return !Idles(id) && !Leads(id); }

  void Order();
  void Apply(OrderFor given, uint64_t acknowledged);
  void OrderIdle(SlotId id, OrderFor given, uint64_t acknowledged);
  void OrderFollow(SlotId id, OrderFor given, uint64_t acknowledged);
  void OrderLead(SlotId id, OrderFor given, uint64_t acknowledged);
  void OrderOnce(SlotId id, OrderFor given, uint64_t acknowledged);
  void Begin(Asked* slot, const Lead& lead);
  static void Resigned(Asked* slot, uint64_t before);

  void Packet();
  void Unreadable(LinkId link);
  void Receive(LinkId link, const Address& from, int ttl, const Bytes& payload);
  SlotId IdOf(const Asked* slot) const;
  void Flood();
  void Kernel();
  void TakeEvents();
  void CheckEvent(const Event& event, uint64_t number);

  void Renew();
  void WorkOff();
  void PreemptedByWarden();
  void TakeOrdered();
  void WakeUp();
  void CheckTick(SlotId id, Asked* slot, const Core::Standing& before, uint64_t raised,
                 bool lapsed);
  void CheckWaiting(Asked* slot, bool lapsed);
  void CheckRuns(const Batch& batch, const std::map<SlotId, Core::Standing>& before);
  void CheckAsked(const Batch& batch);
  std::optional<Us> FirstDue(const std::map<SlotId, Core::Standing>& before, auto leads);
  void CheckRepeats(SlotId id, const Core::Standing& before,
                    const std::set<std::pair<SlotId, int>>& repeated, std::optional<Us> first);
  std::set<int> Advance(Asked* slot, const Lead& lead);
  void Join(Asked* slot, const Lead& lead, size_t index, std::optional<Us> first);
  void Send(Batch batch);
  void Settle();

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
  std::set<int64_t> led_on_;  // generations of follows under which a take-over went on
  SlotId last_slot_ = 0;
  SlotId slot_taken_ = 0;
  Us taken_at_ = 0;
  int64_t last_generation_ = 0;
  int64_t generation_taken_ = 0;
  uint64_t taken_ = 0;
  uint64_t acknowledged_ = 0;
};

}  // namespace vipd
