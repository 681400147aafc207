#include "engine/netlink_thread.h"

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/clock.h"
#include "base/memory.h"
#include "base/realtime.h"

namespace vipd {

namespace {

// The kernel bounds how long a real-time thread may work without sleeping (RLIMIT_RTTIME).
constexpr int kSlicesBetweenPauses = 4;
// Sending the adverts of a batch takes some tens of microseconds.
constexpr Us kRousedMax = 200;
// How often the warden's mark is looked at while it holds us.
constexpr int kHeldMs = 1;

void Pause() {
  const timespec moment = {0, 1'000};
  nanosleep(&moment, nullptr);
}

}  // namespace

std::optional<OpenFailure> NetlinkThread::Open() {
  wake_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake_.get() < 0) return OpenFailure{"eventfd", errno};
  Opened dumps = OpenRoute();
  if (!dumps.ok()) return OpenFailure{dumps.failed_call, dumps.error};
  dumps_ = std::move(dumps.fd);
  return steps_.Open();
}

void NetlinkThread::Start(int realtime_priority, bool lock_memory) {
  thread_ = std::thread([this, realtime_priority, lock_memory] {
    Prepare(realtime_priority, lock_memory);
    Run();
  });
}

void NetlinkThread::Prepare(int realtime_priority, bool lock_memory) {
  pthread_setname_np(pthread_self(), "vipd-netlink");
  prctl(PR_SET_TIMERSLACK, 1);
  std::vector<std::string> known;  // the engine has reported what is refused
  if (lock_memory) LockEngineMemory(&known);
  if (realtime_priority > 0)
    TakeRealtime(kNetlinkThread, std::max(realtime_priority - 1, 1), {}, &known);
}

void NetlinkThread::Stop() {
  stopping_ = true;
  if (!thread_.joinable()) return;
  Wake();
  thread_.join();
}

void NetlinkThread::Rouse() {
  roused_ = true;
  Wake();
}

void NetlinkThread::Submit(Carried carried) {
  letters_.Put(std::move(carried));
  roused_ = false;
  Wake();
}

void NetlinkThread::Ask(uint32_t id, Bytes request) {
  Post(Question{id, Inquiry(std::move(request))});
}

void NetlinkThread::Heed(std::shared_ptr<const WardenPage> page) { Post(std::move(page)); }

void NetlinkThread::Post(Letter letter) {
  letters_.Put(std::move(letter));
  Wake();
}

void NetlinkThread::Wake() const {
  const uint64_t one = 1;
  // Full (EAGAIN) means that it is readable anyway.
  [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
}

void NetlinkThread::Run() {
  for (int slices = 1; !stopping_; ++slices) {
    TakeLetters();
    if (WardenActs()) {
      Wait(kHeldMs);
    } else if (steps_.busy()) {
      steps_.Continue();
      Deliver();
      if (slices % kSlicesBetweenPauses == 0) Pause();
    } else if (!questions_.empty()) {
      ReadOn();
    } else {
      Wait(-1);
      AwaitRoused();
    }
  }
}

// Awake and on a processor when the batch comes, which is sooner than this thread could fall asleep
// and be woken again.
void NetlinkThread::AwaitRoused() const {
  if (!roused_) return;
  const Us until = MonotonicNow() + kRousedMax;
  while (roused_ && MonotonicNow() < until) sched_yield();
}

void NetlinkThread::Wait(int timeout_ms) {
  pollfd waiting = {wake_.get(), POLLIN, 0};
  poll(&waiting, 1, timeout_ms);
  uint64_t count;
  [[maybe_unused]] const ssize_t n = read(wake_.get(), &count, sizeof count);
}

void NetlinkThread::TakeLetters() {
  for (Letter& letter : letters_.TakeAll()) {
    if (auto* carried = std::get_if<Carried>(&letter)) steps_.Add(std::move(*carried));
    if (auto* question = std::get_if<Question>(&letter)) questions_.push_back(std::move(*question));
    if (auto* warden = std::get_if<Warden>(&letter)) warden_ = std::move(*warden);
  }
}

bool NetlinkThread::WardenActs() const {
  return warden_ != nullptr && warden_->state != WardenPage::kIdle;
}

void NetlinkThread::ReadOn() {
  Question& question = questions_.front();
  if (!question.inquiry.Step(dumps_.get())) return;
  answers_.Put({question.id, std::move(question.inquiry.answer())});
  questions_.pop_front();
  notify_();
}

void NetlinkThread::Deliver() {
  std::vector<PacedFrame> paced = steps_.TakePaced();
  std::vector<Carried> finished = steps_.TakeFinished();
  if (finished.empty() && paced.empty()) return;
  for (PacedFrame& frame : paced) paced_.Put(std::move(frame));
  for (Carried& carried : finished) carried_.Put(std::move(carried));
  notify_();
}

}  // namespace vipd
