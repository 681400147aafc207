// The thread that may wait for the kernel: it hands requests to it, in the order in which they were
// given, sends the frames that follow their answers, and reads dumps when nothing else waits. What
// becomes of it lies in mailboxes, from which the engine takes it without waiting.
//
// It runs one real-time priority below the engine: on one processor a deadline goes first.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <variant>
#include <vector>

#include "base/inquiry.h"
#include "base/mailbox.h"
#include "base/step_carrier.h"
#include "warden/warden_wire.h"

namespace vipd {

struct Answered {
  uint32_t id = 0;
  Answer answer;
};

class NetlinkThread {
 public:
  // `notify` is called on this thread when something lies in a mailbox.
  explicit NetlinkThread(std::function<void()> notify) : notify_(std::move(notify)) {}
  ~NetlinkThread() { Stop(); }

  std::optional<OpenFailure> Open();
  // `realtime_priority` and `lock_memory` as the engine was granted them.
  void Start(int realtime_priority, bool lock_memory);
  // Waits for the end of the call that it is in. What waits is dropped.
  void Stop();

  // A batch comes in a moment, when its datagrams have been sent: waking up takes as long as that.
  void Rouse();
  // From any thread. The datagrams of the batch have been sent.
  void Submit(Carried carried);
  void Ask(uint32_t id, Bytes request);
  // While this warden has acted and the engine has not taken note, nothing is handed over: after a
  // stop of the process this thread may wake first. Null: there is none.
  void Heed(std::shared_ptr<const WardenPage> page);

  // For the engine's thread.
  std::vector<Carried> TakeCarried() { return carried_.TakeAll(); }
  std::vector<PacedFrame> TakePaced() { return paced_.TakeAll(); }
  std::vector<Answered> TakeAnswers() { return answers_.TakeAll(); }

 private:
  struct Question {
    uint32_t id = 0;
    Inquiry inquiry;
  };
  using Warden = std::shared_ptr<const WardenPage>;
  using Letter = std::variant<Carried, Question, Warden>;

  void Post(Letter letter);
  void Prepare(int realtime_priority, bool lock_memory);
  void Run();
  void Wait(int timeout_ms);
  void AwaitRoused() const;
  void TakeLetters();
  void ReadOn();
  void Deliver();
  bool WardenActs() const;
  void Wake() const;

  const std::function<void()> notify_;
  UniqueFd wake_;
  UniqueFd dumps_;  // opened once: a dump must not fail for want of a descriptor
  std::atomic<bool> stopping_{false};
  std::atomic<bool> roused_{false};
  Mailbox<Letter> letters_;
  Mailbox<Carried> carried_;
  Mailbox<PacedFrame> paced_;
  Mailbox<Answered> answers_;
  std::thread thread_;

  // This thread only.
  StepCarrier steps_;
  std::deque<Question> questions_;
  Warden warden_;
};

}  // namespace vipd
