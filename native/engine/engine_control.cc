// The main thread's side of the engine: what it opens, starts, posts and takes.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <future>

#include "base/clock.h"
#include "base/epoll.h"
#include "base/memory.h"
#include "base/realtime.h"
#include "base/signals.h"
#include "engine/engine.h"

namespace vipd {

std::optional<OpenFailure> Engine::Open() {
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (epoll_.get() < 0) return OpenFailure{"epoll_create1", errno};
  wake_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake_.get() < 0) return OpenFailure{"eventfd", errno};
  timer_ = UniqueFd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (timer_.get() < 0) return OpenFailure{"timerfd_create", errno};
  Opened monitor = OpenMonitor();
  if (!monitor.ok()) return OpenFailure{monitor.failed_call, monitor.error};
  monitor_ = std::move(monitor.fd);
  if (const auto failure = netlink_.Open()) return failure;
  if (const auto failure = paced_.Open()) return failure;
  OpenFailure unmade;
  seals_ = SealTable::Make(&unmade);
  if (seals_ == nullptr) return unmade;
  carrier_ = std::make_unique<EngineCarrier>(&netlink_, seals_.get(),
                                             [this](LinkId link, const char* call, int error) {
                                               Event event;
                                               event.kind = Event::Kind::kLinkFailed;
                                               event.link = link;
                                               event.call = call;
                                               event.error = error;
                                               core_->Raise(std::move(event));
                                             });
  if (const auto failure = carrier_->Open()) return failure;
  if (held() && !WatchReadable(epoll_.get(), taker_->exchange().to_second(), kExchangeTag))
    return OpenFailure{"epoll_ctl", errno};
  const bool watched = WatchReadable(epoll_.get(), wake_.get(), kWakeTag) &&
                       WatchReadable(epoll_.get(), timer_.get(), kTimerTag) &&
                       WatchReadable(epoll_.get(), monitor_.get(), kMonitorTag);
  if (!watched) return OpenFailure{"epoll_ctl", errno};
  return std::nullopt;
}

// The filter first: nothing of a new group comes without it.
const char* Engine::Listen(const Bytes& filter, const std::vector<int>& join,
                           const std::vector<int>& leave) const {
  const char* failed = AttachFilter(monitor_.get(), filter);
  return failed != nullptr ? failed : ChangeGroups(monitor_.get(), join, leave);
}

EngineStart Engine::Start() {
  core_ = std::make_unique<Core>(options_.policy, options_.liveness, MonotonicNow());
  if (held()) core_->Hold();
  std::promise<EngineStart> prepared;
  std::future<EngineStart> report = prepared.get_future();
  const SignalsBlocked blocked;
  thread_ = std::thread([this, &prepared] {
    prepared.set_value(Prepare());
    Run();
  });
  EngineStart start = report.get();
  netlink_.Start(start.realtime ? options_.realtime_priority : 0, start.locked);
  return start;
}

EngineStart Engine::Prepare() {
  EngineStart start;
  pthread_setname_np(pthread_self(), "vipd-engine");
  prctl(PR_SET_TIMERSLACK, 1);
  if (options_.lock_memory) start.locked = LockEngineMemory(&start.notes);
  if (options_.realtime_priority <= 0) return start;
  start.realtime = TakeRealtime(kEngineThread, options_.realtime_priority,
                                {options_.rttime, options_.policy.rttime_grace}, &start.notes);
  return start;
}

void Engine::Post(Command command) {
  {
    const std::lock_guard lock(commands_mutex_);
    commands_.push_back(std::move(command));
  }
  Wake();
}

void Engine::Wake() const {
  const uint64_t one = 1;
  // Full (EAGAIN) means that it is readable anyway.
  [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
}

std::unique_ptr<Delivery> Engine::Take() {
  std::unique_ptr<Delivery> delivery(outbox_.exchange(nullptr));
  if (backlog_.exchange(false)) Wake();
  return delivery;
}

SealSequence Engine::SequenceOf(SlotId slot) const {
  const std::atomic<SealSequence>* sequence = seals_->SequenceOf(slot);
  return sequence == nullptr ? 0 : sequence->load();
}

void Engine::Stop(bool orderly) {
  orderly_ = orderly;
  stopping_ = true;
  if (!thread_.joinable()) return;
  Wake();
  thread_.join();
  netlink_.Stop();
  if (orderly && warden_pid_ > 0) ReapWarden(warden_pid_, options_.policy);
}

std::optional<OpenFailure> Engine::StartGuard(const std::string& lock_path,
                                              const std::string& log_form) {
  if (!EndGuard()) return OpenFailure{"waitpid", EBUSY};
  const StartedWarden started = StartWarden(options_.realtime_priority, options_.policy.warden_beat,
                                            lock_path, log_form, seals_->fd());
  if (started.failed_call != nullptr) return OpenFailure{started.failed_call, started.error};
  warden_pid_ = started.pid;
  warden_page_ = started.page;
  Post(MeetWarden{started});
  return std::nullopt;
}

bool Engine::EndGuard() {
  if (warden_pid_ > 0 && !EndWarden(warden_pid_)) return false;
  warden_pid_ = -1;
  return true;
}

}  // namespace vipd
