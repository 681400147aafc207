// The thread of the BFD sessions: sockets and a timer around BfdCore. It is there only while there
// are sessions, and waits for nothing but epoll. VRRP's engine hears of it in one thing: a session
// that is lost may end the wait for a master's adverts (`on_lost`).
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <variant>

#include "base/bfd_sockets.h"
#include "engine/bfd_core.h"
#include "engine/bfd_exchange.h"

namespace vipd {

struct BfdOptions {
  int realtime_priority = 0;
  Us rttime = 0;
  Us rttime_grace = 0;
  uint64_t seed = 0;
  // Once the slots are taken: how long the thread of the process before may take to give.
  Us given_within = 0;
};

// With the thread of another process of this daemon: when the slots are taken, and the sessions.
struct BfdSuccession {
  std::shared_ptr<Exchange> slots;
  std::shared_ptr<BfdExchange> sessions;
};

struct AddBfdSession {
  SessionId id;
  uint32_t discriminator;
  BfdPath path;
  std::shared_ptr<BfdCounters> counters;
  std::shared_ptr<UniqueFd> sender;
  SessionId before;  // what it was in the process before; -1: nothing
};
// `farewell`: goes out before; empty: nothing.
struct RemoveBfdSession {
  SessionId id;
  Bytes farewell;
};
struct GiveBfdOrder {
  SessionId id;
  BfdOrder order;
};
// `key`: family and port.
struct AddBfdReceiver {
  int key;
  int family;
  bool multihop;
  std::shared_ptr<UniqueFd> fd;
};
// `closed`: set when the thread holds the socket no more, so that its port is free.
struct RemoveBfdReceiver {
  int key;
  std::shared_ptr<std::promise<void>> closed;
};
// To the thread of another process. `agreed`: the main thread has taken all that was raised.
struct OfferBfd {
  BfdSuccession to;
  std::shared_ptr<std::promise<bool>> agreed;
};
struct WithdrawBfd {};
using BfdCommand = std::variant<AddBfdSession, RemoveBfdSession, GiveBfdOrder, AddBfdReceiver,
                                RemoveBfdReceiver, OfferBfd, WithdrawBfd>;

class BfdThread {
 public:
  // Both are called on the thread: `notify` when events wait, `on_lost` at once when the detection
  // time of a session is over. `from`: the sessions are another thread's until that one gives them;
  // null: they are this one's.
  BfdThread(BfdOptions options, std::function<void()> notify,
            std::function<void(const BfdEvent&)> on_lost, BfdSuccession from);
  ~BfdThread() { Stop(); }

  // The rest is for the main thread.
  std::optional<OpenFailure> Open();
  void Start();
  void Post(BfdCommand command);
  std::vector<BfdEvent> Take();
  // Packets that no session here is meant by.
  uint64_t unclaimed() const { return unclaimed_; }
  void Stop();

 private:
  // What epoll names beside the sockets, whose keys are below.
  static constexpr uint64_t kWakeTag = 1u << 31;
  static constexpr uint64_t kTimerTag = kWakeTag + 1;
  static constexpr uint64_t kExchangeTag = kWakeTag + 2;

  struct Receiver {
    int family;
    bool multihop;
    std::shared_ptr<UniqueFd> fd;
    Us empty_at;  // no packet lay in it then: all that come later have arrived since
  };
  struct Sender {
    std::shared_ptr<UniqueFd> fd;
    std::shared_ptr<BfdCounters> counters;
  };

  void Run();
  void Poll(int timeout_ms);
  void TakeCommands();
  void Carry(BfdCommand command);
  void Drain(Receiver* receiver);
  void SendAll();
  void Send(SessionId session, const Bytes& bytes);
  void Deliver();
  void Arm();
  void WakeAt(Us at);
  void Watch(int key, const Receiver& receiver);
  // bfd_thread_exchange.cc: the first of two, and the second.
  void OfferNow(OfferBfd offer);
  void WithdrawNow();
  void GiveIfTaken();
  void LeaveNow();
  void TakeIfGiven();
  void TakeNow();

  const BfdOptions options_;
  const std::function<void()> notify_;
  const std::function<void(const BfdEvent&)> on_lost_;
  UniqueFd epoll_;
  UniqueFd wake_;
  UniqueFd timer_;
  std::mutex mutex_;
  std::vector<BfdCommand> commands_;
  std::vector<BfdEvent> events_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> unclaimed_{0};
  std::thread thread_;

  // The thread's only.
  BfdCore core_;
  std::map<int, Receiver> receivers_;
  std::unordered_map<SessionId, Sender> senders_;

  // With another process; null: none.
  BfdSuccession to_;
  std::vector<BfdEvent> unjudged_;  // since it was offered
  bool left_ = false;               // the sessions are the other thread's
  BfdSuccession from_;
  bool held_;                                        // the sessions are still the other thread's
  Us seize_at_ = kNever;                             // it has not given by then
  std::unordered_map<SessionId, SessionId> before_;  // sessions here, by what they were there
};

}  // namespace vipd
