#include "engine/bfd_thread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/epoll.h"
#include "base/realtime.h"
#include "base/signals.h"

namespace vipd {

namespace {

// Packets of one socket before the timer is looked at again.
constexpr int kPacketsPerTurn = 256;
// The last word of a session: one of them arrives also where a packet in ten is lost.
constexpr int kFarewells = 3;

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

}  // namespace

BfdThread::BfdThread(BfdOptions options, std::function<void()> notify,
                     std::function<void(const BfdEvent&)> on_lost, BfdSuccession from)
    : options_(options),
      notify_(std::move(notify)),
      on_lost_(std::move(on_lost)),
      core_(options.seed),
      from_(std::move(from)),
      held_(from_.sessions != nullptr) {}

std::optional<OpenFailure> BfdThread::Open() {
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (epoll_.get() < 0) return OpenFailure{"epoll_create1", errno};
  wake_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake_.get() < 0) return OpenFailure{"eventfd", errno};
  timer_ = UniqueFd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (timer_.get() < 0) return OpenFailure{"timerfd_create", errno};
  if (!WatchReadable(epoll_.get(), wake_.get(), kWakeTag) ||
      !WatchReadable(epoll_.get(), timer_.get(), kTimerTag) ||
      (held_ && !WatchReadable(epoll_.get(), from_.sessions->to_second(), kExchangeTag)))
    return OpenFailure{"epoll_ctl", errno};
  return std::nullopt;
}

void BfdThread::Start() {
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { Run(); });
}

void BfdThread::Post(BfdCommand command) {
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
}

std::vector<BfdEvent> BfdThread::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

void BfdThread::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
  thread_.join();
}

void BfdThread::Run() {
  pthread_setname_np(pthread_self(), "vipd-bfd");
  prctl(PR_SET_TIMERSLACK, 1);
  std::vector<std::string> notes;
  if (options_.realtime_priority > 0)
    TakeRealtime(kBfdThread, options_.realtime_priority, {options_.rttime, options_.rttime_grace},
                 &notes);
  while (!stopping_) {
    Poll(-1);
    if (left_) continue;
    if (held_) TakeIfGiven();
    if (held_) {
      WakeAt(seize_at_);
      continue;
    }
    // What had arrived at `now` is read before a detection time of `now` is over.
    const Us now = MonotonicNow();
    if (core_.NextDeadline() <= now) {
      Poll(0);
      core_.Tick(now);
    }
    SendAll();
    Deliver();
    GiveIfTaken();
    if (!left_) Arm();
  }
  // Stopped before it was woken for it.
  GiveIfTaken();
}

void BfdThread::Poll(int timeout_ms) {
  std::array<epoll_event, 16> ready;
  const int n = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), timeout_ms);
  uint64_t count;
  for (int i = 0; i < n; ++i) {
    const uint64_t tag = ready[i].data.u64;
    if (tag == kWakeTag) {
      [[maybe_unused]] const ssize_t read_bytes = read(wake_.get(), &count, sizeof count);
      TakeCommands();
    } else if (tag == kTimerTag) {
      [[maybe_unused]] const ssize_t read_bytes = read(timer_.get(), &count, sizeof count);
    } else if (tag == kExchangeTag) {
      const int woken = held_                     ? from_.sessions->to_second()
                        : to_.sessions != nullptr ? to_.sessions->to_first()
                                                  : -1;
      [[maybe_unused]] const ssize_t read_bytes = read(woken, &count, sizeof count);
    } else if (const auto found = receivers_.find(static_cast<int>(tag));
               found != receivers_.end()) {
      Drain(&found->second);
    }
  }
}

void BfdThread::TakeCommands() {
  std::vector<BfdCommand> taken;
  {
    const std::lock_guard lock(mutex_);
    taken = std::exchange(commands_, {});
  }
  for (BfdCommand& command : taken) Carry(std::move(command));
}

void BfdThread::Carry(BfdCommand command) {
  std::visit(
      Overloaded{[&](AddBfdSession& c) {
                   core_.Add(c.id, c.discriminator, c.path, c.counters);
                   senders_[c.id] = {c.sender, c.counters};
                   if (c.before >= 0) before_[c.before] = c.id;
                 },
                 [&](RemoveBfdSession& c) {
                   for (int left = c.farewell.empty() ? 0 : kFarewells; left > 0; --left)
                     Send(c.id, c.farewell);
                   core_.Remove(c.id);
                   senders_.erase(c.id);
                 },
                 [&](GiveBfdOrder& c) { core_.Apply(c.id, std::move(c.order), MonotonicNow()); },
                 [&](AddBfdReceiver& c) {
                   const Receiver& added =
                       receivers_[c.key] = {c.family, c.multihop, c.fd, MonotonicNow()};
                   if (!held_) Watch(c.key, added);
                 },
                 [&](RemoveBfdReceiver& c) {
                   // Another process may have it too: then closing it here does not end the watch.
                   if (const auto found = receivers_.find(c.key); found != receivers_.end())
                     epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second.fd->get(), nullptr);
                   receivers_.erase(c.key);
                   c.closed->set_value();
                 },
                 [&](OfferBfd& c) { OfferNow(std::move(c)); },
                 [&](WithdrawBfd&) { WithdrawNow(); }},
      command);
}

void BfdThread::Watch(int key, const Receiver& receiver) {
  WatchReadable(epoll_.get(), receiver.fd->get(), static_cast<uint64_t>(key));
}

void BfdThread::Drain(Receiver* receiver) {
  std::array<uint8_t, BfdUnjudged::kPacketMax> buffer;
  for (int left = kPacketsPerTurn; left > 0; --left) {
    const Us now = MonotonicNow();
    const auto received = ReceiveBfd(receiver->fd->get(), receiver->family, buffer);
    if (!received.has_value()) {
      receiver->empty_at = now;
      return;
    }
    BfdArrival arrival;
    arrival.from = received->from;
    arrival.to = received->to;
    arrival.ifindex = receiver->multihop ? 0 : received->ifindex;
    arrival.ttl = received->ttl;
    arrival.packet = received->payload;
    // A step of the wall clock makes no packet older than that.
    arrival.at = std::max(MonotonicNow() - received->age, receiver->empty_at);
    if (!core_.Receive(arrival)) ++unclaimed_;
  }
}

void BfdThread::SendAll() {
  for (const BfdSend& out : core_.TakeSends())
    if (out.bytes != nullptr) Send(out.session, *out.bytes);
}

void BfdThread::Send(SessionId session, const Bytes& bytes) {
  const auto found = senders_.find(session);
  if (found == senders_.end()) return;
  BfdCounters& counters = *found->second.counters;
  const auto hand_over = [&] {
    return send(found->second.fd->get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  };
  ssize_t n = hand_over();
  // What the peer's closed port answered (ICMP) is told once, by a call that sends nothing.
  if (n < 0 && errno == ECONNREFUSED) n = hand_over();
  if (n >= 0) {
    ++counters.sent;
    counters.send_error = 0;
  } else {
    counters.send_error = errno;
  }
}

void BfdThread::Deliver() {
  if (!core_.has_events()) return;
  std::vector<BfdEvent> events = core_.TakeEvents();
  if (to_.sessions != nullptr)
    for (const BfdEvent& event : events) AddEvent(&unjudged_, event);
  for (const BfdEvent& event : events)
    if (event.kind == BfdEvent::Kind::kExpired && !event.takeover.empty()) on_lost_(event);
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = events_.empty();
    for (BfdEvent& event : events) AddEvent(&events_, std::move(event));
  }
  if (first) notify_();
}

void BfdThread::Arm() { WakeAt(core_.NextDeadline()); }

void BfdThread::WakeAt(Us instant) {
  itimerspec when{};
  if (instant != kNever) {
    const Us at = std::max<Us>(instant, 1);
    when.it_value = {at / 1'000'000, at % 1'000'000 * 1'000};
  }
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace vipd
