// The engine's thread: it waits for packets, orders and instants, hands them to the core, and
// carries out what the core answers. On each wake-up sockets are drained before a deadline may
// fire. It never waits for anything but epoll, so neither a slow main thread nor a full socket nor
// the kernel's rtnl lock can delay an advert: what may wait for that is the netlink thread's.
//
// The main thread posts commands and takes deliveries of events; one delivery is under way at a
// time, and what is raised meanwhile waits in the core, where equal packets are counted together.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/exchange.h"
#include "base/sockets.h"
#include "engine/address_news.h"
#include "engine/core.h"
#include "engine/engine_carrier.h"
#include "engine/exchange_turns.h"
#include "engine/kept_packets.h"
#include "engine/netlink_thread.h"
#include "engine/paced_frames.h"
#include "engine/wakeups.h"
#include "engine/warden_port.h"

struct mmsghdr;

namespace vipd {

struct EngineOptions {
  int realtime_priority = 0;
  Us rttime = 0;
  bool lock_memory = false;
  Us liveness = 0;
  EnginePolicy policy;
  // The engine of another process answers for the slots until this one takes them; null: none does.
  std::shared_ptr<Exchange> succeeds;
};

// What the kernel granted, and a sentence for each thing that it did not.
struct EngineStart {
  bool realtime = false;
  bool locked = false;
  std::vector<std::string> notes;
};

struct AddLink {
  LinkPtr link;
  std::shared_ptr<LinkCounters> counters;
};
struct RemoveLink {
  LinkId link;
};
struct AddSlot {
  SlotId slot;
  LinkId link;
  uint8_t vrid;
  std::vector<Address> peers;
  std::shared_ptr<SlotCounters> counters;
  std::string name;
};
struct SetPeers {
  SlotId slot;
  std::vector<Address> peers;
};
struct RemoveSlot {
  SlotId slot;
};
struct SetSeal {
  SlotId slot;
  std::optional<AnySeal> seal;
  std::shared_ptr<SealSenders> senders;
  SealSequence sent;  // by a process before; 0: none
};
struct GiveOrders {
  std::vector<OrderFor> orders;
  uint64_t acknowledged;
};
struct Renewal {
  Us at;
};
struct SetLiveness {
  Us liveness;
};
struct Acknowledgement {
  uint64_t acknowledged;
};
struct LoseMaster {
  std::vector<SlotId> slots;
  Address master;
};
struct Flush {
  uint32_t id;
};
struct MeetWarden {
  StartedWarden warden;
};
// To the engine of another process, which was told a state of the daemon: of `attempt`, made when
// so many events had been acknowledged.
struct OfferExchange {
  std::shared_ptr<Exchange> exchange;
  uint32_t attempt;
  uint64_t acknowledged;
};
// Not with that state; `for_good`: with none.
struct WithdrawExchange {
  bool for_good;
};
// By slot of the other engine, the slot here.
struct ReadyForExchange {
  uint32_t attempt;
  std::unordered_map<SlotId, SlotId> slots;
};
// Of the second engine, on its thread and at once: the slots are its own. In place of the last.
struct WhenTaken {
  std::function<void()> run;
};
using Command =
    std::variant<AddLink, RemoveLink, AddSlot, SetPeers, SetLiveness, RemoveSlot, SetSeal,
                 GiveOrders, Renewal, Acknowledgement, LoseMaster, Flush, MeetWarden, OfferExchange,
                 WithdrawExchange, ReadyForExchange, WhenTaken>;

struct Delivery {
  std::vector<Event> events;
  std::vector<uint32_t> flushed;
};

struct Inbox;

class Engine {
 public:
  // So many are taken up before the thread looks at its sockets and deadlines again; more are
  // posted in pieces.
  static constexpr size_t kOrdersPerTurn = 32;

  // `notify` is called on the engine's thread when a delivery waits.
  Engine(EngineOptions options, std::function<void()> notify);
  ~Engine();

  // The rest is for the main thread.
  std::optional<OpenFailure> Open();
  EngineStart Start();
  // Starts the warden, or another when `EndGuard` has said that there is none.
  std::optional<OpenFailure> StartGuard(const std::string& lock_path, const std::string& log_form);
  // Kills it, without waiting for its end. True when there is none any more.
  bool EndGuard();
  // Its sign of life: a number that changes, see `WardenPage::beats`.
  uint32_t GuardBeats() const { return warden_page_ == nullptr ? 0 : warden_page_->beats.load(); }
  const WakeupRecord& wakeups() const { return wakeups_; }
  void Post(Command command);
  const EnginePolicy& policy() const { return options_.policy; }
  std::unique_ptr<Delivery> Take();
  // What the slot's seal used last; of AH also what it heard. 0: none.
  SealSequence SequenceOf(SlotId slot) const;
  // Of which other changes the kernel tells; `filter` drops there what does not matter. Null, or
  // the call that failed, with errno set.
  const char* Listen(const Bytes& filter, const std::vector<int>& join,
                     const std::vector<int>& leave) const;
  // One request; the answer is an event. What it shows of the kernel has been notified before it.
  void Ask(uint32_t id, Bytes request) { netlink_.Ask(id, std::move(request)); }
  // Ends the thread; what was posted and not yet taken up is dropped. Twice is harmless. Without
  // `orderly` the warden finds its daemon dead and gives up what still leads.
  void Stop(bool orderly);

 private:
  // What epoll names beside the links, which are below.
  static constexpr uint64_t kWakeTag = 1u << 31;
  static constexpr uint64_t kTimerTag = kWakeTag + 1;
  static constexpr uint64_t kMonitorTag = kWakeTag + 2;
  static constexpr uint64_t kWardenTag = kWakeTag + 3;
  static constexpr uint64_t kExchangeTag = kWakeTag + 4;

  void Run();
  EngineStart Prepare();
  void Poll(int timeout_ms);
  void TakeCommands();
  void CarrySome();
  void Carry(Command command);
  void AddLinkNow(AddLink command);
  void RemoveLinkNow(LinkId id);
  void RemoveSlotNow(SlotId slot);
  void SetSealNow(SetSeal command);
  void Drain(const Link& link);
  void ReceiveOne(const Link& link, const mmsghdr& message, Us now);
  void ReceiveFailed(const Link& link, int error);
  void Unreadable(const Link& link, Us now);
  void Unexpected(const Link& link, Us now);
  void ReopenGates(Us now);
  bool DrainMonitor();
  void CarryOut();
  void TakeAnswers();
  void Fire();
  void WakeUp();
  void MeetWardenNow(const StartedWarden& started);
  void UpdateWarden(SlotId slot);
  void TellWarden();
  void LoseWarden();
  void Deliver();
  void HandOver();
  void Arm();
  void Wake() const;
  // engine_exchange.cc: the first of two, and the second.
  void OfferNow(OfferExchange offer);
  void WithdrawNow(bool for_good);
  bool Quiet(Us now) const;
  void GiveIfQuiet();
  void LeaveNow(Us at);
  void ForgetExchange(const std::shared_ptr<Exchange>& exchange) const;
  void TakeExchangeWake();
  void RunAfterLeaving();
  void ReadyNow(ReadyForExchange ready);
  void SayReady();
  void TakeIfGiven();
  // The slots are still another engine's.
  bool held() const { return taker_ != nullptr; }

  const EngineOptions options_;
  const std::function<void()> notify_;

  UniqueFd epoll_;
  UniqueFd wake_;
  UniqueFd timer_;
  UniqueFd monitor_;
  NetlinkThread netlink_;
  PacedFrames paced_;
  std::unique_ptr<SealTable> seals_;

  std::mutex commands_mutex_;
  std::vector<Command> commands_;
  std::atomic<Delivery*> outbox_{nullptr};
  std::atomic<bool> backlog_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> orderly_{false};
  std::thread thread_;
  WakeupRecord wakeups_;
  int warden_pid_ = -1;
  std::shared_ptr<const WardenPage> warden_page_;

  // The engine's thread only.
  std::unique_ptr<Core> core_;
  std::unique_ptr<EngineCarrier> carrier_;
  std::unordered_map<LinkId, LinkPtr> links_;
  std::unordered_map<SlotId, std::string> names_;  // of the slots' instances, for the log
  std::deque<Command> taken_;  // still to be carried out, in the order of posting
  // Answered when all has been carried out that was ordered before.
  struct Flushing {
    uint32_t id;
    std::optional<uint64_t> after;  // the last batch that was ordered before
  };
  std::deque<Flushing> flushes_;
  std::vector<uint32_t> flushed_;
  std::vector<LinkId> shut_;      // links whose filter gate is shut
  std::deque<Answered> answers_;  // until the monitor is drained
  AddressNews address_news_;
  WardenPort warden_;
  bool warden_backlog_ = false;
  Us armed_ = kNever;
  std::unique_ptr<Inbox> inbox_;

  ExchangeGiver giver_;
  bool left_ = false;  // the slots are another engine's
  // Null: the slots are this engine's, or were.
  std::unique_ptr<ExchangeTaker> taker_;
  std::function<void()> when_taken_ = [] {};
  KeptPackets kept_;
  // Everything that had come by then has been read, if there was not too much of it.
  Us looked_at_ = 0;
  bool looked_at_all_ = false;
};

}  // namespace vipd
