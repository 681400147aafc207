// What the engine knows: orders, packets and the time go in; runs (plans to carry out) and events
// come out. No system call and no policy: it compares bytes, watches instants and never looks into
// a packet beyond the VRID that routes it. The thread drives it with the real clock, the simulator
// with a virtual one.
//
// A wake-up is: Apply and Receive whatever waits, then Tick, then TakeBatch, and Settle once a
// batch has been carried out, however much later. Because Tick comes last, a packet that waits
// beats a deadline that has passed.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/exchange.h"
#include "base/plan.h"
#include "engine/counters.h"
#include "engine/deadlines.h"
#include "engine/event.h"
#include "engine/order.h"
#include "engine/policy.h"
#include "engine/seal_check.h"
#include "engine/throttle.h"

namespace vipd {

class Core {
 public:
  // Kernel messages that wait beyond this bound are dropped, and one overrun says so: TypeScript
  // reads everything anew, so the number decides about memory alone. The policy has the bound for
  // packets; what became of an order is never dropped.
  static constexpr size_t kKernelMax = 4'096;

  // `liveness` 0 switches the lease off.
  Core(const EnginePolicy& policy, Us liveness, Us now)
      : policy_(policy),
        liveness_(liveness),
        renewed_(now),
        throttle_(policy.source, policy.new_source) {}

  void AddLink(LinkId link, std::shared_ptr<LinkCounters> counters);
  void RemoveLink(LinkId link);
  // (link, vrid) must be free, or all of its slots have peers and none in common; the caller keeps
  // the book. A slot that has its VRID for itself takes packets of any source.
  void AddSlot(SlotId slot, LinkId link, uint8_t vrid, std::vector<Address> peers,
               std::shared_ptr<SlotCounters> counters);
  void SetPeers(SlotId slot, std::vector<Address> peers);
  void RemoveSlot(SlotId slot);
  // What the slot asks of adverts from now on; null: nothing. Senders keep their marks, also when
  // the slot was gone meanwhile. `sequence`: the slot's in the table of seals.
  void SetSeal(SlotId slot, const AnySeal* seal, std::shared_ptr<SealSenders> senders,
               std::atomic<SealSequence>* sequence);
  // The clock that trailers are held against: µs since 1970 at `now`.
  void SetWall(Us wall, Us now) { wall_ahead_ = wall - now; }
  Us WallAt(Us now) const { return now + wall_ahead_; }

  // `acknowledged`: how many events TypeScript had acknowledged when it wrote the order. An order
  // that crossed with a change that the core made on its own (a deadline, late, lapsed) was meant
  // for another state:
  // - idle and follow still hold, after the lead that they did not know of has resigned; a follow
  // whose deadline has passed as well lets it go on, and is told of it again under its generation;
  // - a lead for a slot that has resigned is not taken up: the event is raised again, under the new
  // generation;
  // - once is dropped.
  void Apply(OrderFor order, uint64_t acknowledged, Us now);
  // False for a packet that nothing here expected.
  bool Receive(LinkId link, const Packet& packet, Us now);
  // The same of one that came while another core had the slots, which may have had it too: what
  // that one has judged already is no replay.
  void ReceiveAgain(LinkId link, const Packet& packet, Us at);
  // An unreadable packet: counted, never raised.
  void Unclaimed(LinkId link);
  // Another bound for the lease, which is renewed with it; 0 switches the lease off.
  void SetLiveness(Us liveness, Us now);
  // The main thread is alive. Any order says so too.
  void Renew(Us now);
  // The main thread has acknowledged so many of the events that were raised: what came of them has
  // been ordered before.
  void Acknowledge(uint64_t acknowledged, Us now);
  // Another protocol (BFD) has found the path to `master` dead: a slot that follows this very
  // master waits for its adverts no longer. One that has passed its deadline already, or that
  // follows another, goes on as it is.
  void LoseMaster(SlotId id, const Address& master, Us now);
  // The warden gave up every lead while this process stood still. The leading slots idle, as after
  // being late. It has sent the resignations: what else is in the resign plans is carried out
  // again.
  void PreemptedByWarden(Us now);
  // Carries out what is due at `now`. Slots that follow do not lead while the lease is lapsed: they
  // stay silent, and on renewal listen for one more interval. Nor do they while a packet that came
  // before their deadline has not been acknowledged: it may be the master's advert, changed.
  void Tick(Us now);

  // When Tick is wanted next; kNever when nothing is awaited.
  Us NextDeadline();
  bool has_batch() const { return !batch_.empty(); }
  Batch TakeBatch() { return std::exchange(batch_, {}); }
  // In any order.
  void Settle(const Batch& batch, const std::vector<Failure>& failures);

  // How a slot stands, for the warden, which may have to give up its lead: `lead` is the standing
  // one, or what a follow becomes; none for a slot that idles or is gone.
  struct Standing {
    bool leads = false;
    LeadPtr lead;
  };
  Standing StandingOf(SlotId id) const;
  std::vector<SlotId> Slots() const;
  // The slots whose standing may have changed since the last call; those that are gone too.
  std::vector<SlotId> TakeTouched();

  // The slots are another core's until `Release`: orders say how they stand there, which is never
  // late, and nothing is done for them here.
  void Hold() { held_ = true; }
  void Release() { held_ = false; }
  // For the core of another process: what it does not learn from the orders. False: a slot is in
  // the middle of a change of its own.
  bool Tell(std::vector<ExchangeEntry>* out) const;
  // What that core told of the slot that is `id` here, which has its orders already. False: it
  // stands otherwise.
  bool TakeUp(const ExchangeEntry& entry, SlotId id);

  void Raise(Event event);
  bool has_events() const { return !events_.empty(); }
  std::vector<Event> TakeEvents();
  // All events raised so far.
  uint64_t raised() const { return raised_; }

 private:
  enum class State : uint8_t { kIdle, kFollow, kLead };
  enum class Resigned : uint8_t { kNo, kLate, kLapsed };
  // `changed` while the event of an own change is still to come: its plan is being carried out.
  static constexpr uint64_t kChanging = std::numeric_limits<uint64_t>::max();

  // Progress of one repeat of the standing lead.
  struct Running {
    Us due = kNever;
    int64_t left = Repeat::kForever;
    uint64_t failing = 0;  // what failed last time, as a digest; 0: nothing
  };

  // What each expected advert touches comes first and lies together: a thousand slots do not fit
  // into the cache.
  struct alignas(64) Slot : Timed {
    State state = State::kIdle;
    bool waiting = false;   // its deadline passed while the lease was lapsed
    bool awaited = false;   // it waited for `awaits` once already since the deadline was set
    bool listened = false;  // woken late once already since it last heard something
    uint64_t awaits = 0;    // its deadline passed, but not before this event has been acknowledged
    Us restart = 0;
    Us late = 0;
    Us absent = 0;
    Us armed_at = 0;         // when the deadline was last set
    Us listen_until = 0;     // the deadline is this one, which we set ourselves
    Us interval = 0;         // of the adverts that are followed; 0: not known
    bool heard_one = false;  // since it follows: the pause before the next one is one
    std::shared_ptr<SlotCounters> counters;
    std::optional<ExpectedAdvert> expect;
    std::optional<Address> overruled;
    PlanPtr ask;  // of the follow: what goes out `ask_before` its deadline; null: nothing
    Us ask_before = 0;

    LinkId link = 0;
    uint8_t vrid = 0;
    Slot* sibling = nullptr;  // the next one of the same link and VRID
    std::vector<Address> peers;
    std::unique_ptr<SealCheck> seal;
    bool touched = false;  // waits in `touched_`
    int64_t generation = 0;
    // What was expected last, also when nothing is any more: the master's own advert must get
    // through although a forger of its address has used up what that source may send.
    std::optional<ExpectedAdvert> known;
    Bucket known_credit;
    Bucket own_credit;
    uint64_t last_packet = 0;  // `raised_` after the last packet that was raised for it
    LeadPtr lead;              // standing, or what the follow becomes
    std::vector<Running> running;
    Resigned resigned = Resigned::kNo;
    Us late_by = 0;
    TenurePtr tenure;         // of the standing lead
    Us leased_from = kNever;  // before the last advert of the standing lead was sent; kNever: none
    Us expiring =
        Run::kNoDeadline;  // the deadline that it leads since, while that is still to be told
    uint64_t changed = 0;  // `raised_` after the event of our own last change
    uint64_t resigned_event = 0;  // the same of the last resignation, whatever came after it
    Timed asks;                   // when `ask` is due
  };

  struct Resignation {
    Resigned resigned = Resigned::kNo;
    Us late_by = 0;
    uint64_t changed = 0;
    uint64_t resigned_event = 0;
  };

  struct Link {
    std::shared_ptr<LinkCounters> counters;
    Bucket strangers;
    std::array<Slot*, 256> slots{};   // the first one of each VRID
    std::bitset<256> strangers_told;  // VRIDs
  };

  Slot* Find(SlotId id);
  static Slot* Route(const Link& link, const Address& from, std::span<const uint8_t> payload);
  bool lapsed(Us now) const { return liveness_ > 0 && now - renewed_ >= liveness_; }
  static void TellFollow(const Slot& slot, std::vector<ExchangeEntry>* out);
  static void TellLead(const Slot& slot, std::vector<ExchangeEntry>* out);
  bool TakeUpFollow(Slot* slot, const ExchangeEntry& entry);
  bool TakeUpRepeat(Slot* slot, const ExchangeEntry& entry);
  void Enter(Slot* slot, State state);
  void Leave(Slot* slot);
  void Push(const Slot& slot, PlanPtr plan);
  void PushForLead(const Slot& slot, PlanPtr plan, int repeat = Run::kNoRepeat);
  void ApplyIdle(Slot* slot, Order order, bool crossed);
  static bool Late(const Slot& slot, Us now) { return slot.due < now - slot.lead->late; }
  static bool LeadsOn(const Slot& slot, const Order& order, Us now);
  void ApplyFollow(Slot* slot, Order order, uint64_t acknowledged, bool crossed, Us now);
  void ApplyLead(Slot* slot, LeadPtr lead, bool crossed, Us now);
  void StartLead(Slot* slot, LeadPtr lead, Us now);
  Us Fire(Slot* slot, Us now);
  void Join(Us first, Us now);
  void AskBefore(Slot* slot, Us deadline, Us now);
  void Ask(Slot* slot, Us now);
  void Expire(Slot* slot, Us now);
  void TakeOver(Slot* slot, LeadPtr lead, Us deadline, Us now);
  bool AwaitsJudgement(Slot* slot, uint64_t still, Us now);
  void StopWaiting(Slot* slot);
  bool RunRepeats(Slot* slot, Us first, Us now);
  void Touch(Slot* slot);
  void Resign(Slot* slot, Resigned why, Us late_by, Us now);
  void Idle(Slot* slot, PlanPtr plan, Resigned why, Us late_by, Us now);
  void RaiseResigned(Slot* slot, Us now);
  void RaiseExpired(Slot* slot, int64_t generation, Us at, Us done_at);
  void Rearm(Slot* slot);
  void Restart(Slot* slot, Us now);
  void Listen(Slot* slot, Us now);
  void Count(Slot* slot, Us now);
  void TellStranger(Link* link, LinkId id, const Address& from, uint8_t vrid);
  SealCheck::Judgement Judge(Slot* slot, const Packet& packet, Us now);
  void RaisePacket(Slot* slot, Link* link, Event packet);
  void SettleRun(const Run& run, std::span<const Failure> failures);
  void SettleLease(Slot* slot, const Run& run);
  static bool Believes(const Slot& slot, SealVerdict verdict);
  bool Admit(Slot* slot, Link* link, const Event& packet);
  static bool Equals(const std::optional<ExpectedAdvert>& advert, const Address& from, int ttl,
                     std::span<const uint8_t> payload);
  static bool SaysWhatIsExpected(const Slot& slot, const Packet& packet);

  const EnginePolicy policy_;
  Us liveness_;
  Us renewed_;
  Us wall_ahead_ = 0;  // of the monotonic clock
  size_t leading_ = 0;
  size_t waiting_ = 0;
  size_t awaiting_ = 0;
  uint64_t acknowledged_ = 0;
  bool held_ = false;
  Us now_ = 0;  // of the last order, tick or pre-emption
  std::map<SlotId, std::unique_ptr<Slot>> slots_;
  // Resignations of slots that were removed before their author had acknowledged them: a slot that
  // comes back to other sockets has resigned all the same.
  std::map<SlotId, Resignation> left_;
  // What slots that were removed asked of adverts: one that comes back takes no replay for news.
  std::map<SlotId, std::unique_ptr<SealCheck>> left_seals_;
  std::unordered_map<LinkId, Link> links_;
  Deadlines deadlines_;
  Deadlines asks_;
  Throttle throttle_;
  Batch batch_;
  std::vector<SlotId> touched_;
  std::vector<Event> events_;
  std::unordered_map<uint64_t, size_t> pending_packets_;  // digest → index in events_
  size_t packets_ = 0;
  size_t kernel_ = 0;
  bool overrun_ = false;
  uint64_t raised_ = 0;
};

}  // namespace vipd
