// Which filter stands on a receiving socket. While little comes, the open one does: what cannot
// concern us (another VRID, a wrong TTL) is read and counted. When many packets come that are not
// the expected ones, the tight one takes its place for a while, and the kernel drops such packets
// again at no cost to us. So a flood is read for its first packets only.
#pragma once

#include <mutex>

#include "base/sockets.h"
#include "engine/throttle.h"

namespace vipd {

class FilterGate {
 public:
  // 10 packets a second that were not expected, 50 at once.
  static constexpr Us kCost = 100'000;
  static constexpr int kBurst = 50;
  // Twice as long each time that it has to be shut again at once.
  static constexpr Us kShutFirst = 10'000'000;
  static constexpr Us kShutLongest = 320'000'000;

  // `open` empty: the tight filter always.
  FilterGate(int fd, Bytes open, Bytes tight)
      : fd_(fd), open_(std::move(open)), tight_(std::move(tight)) {}

  // For the main thread: nullptr on success, else the failing call with errno set.
  const char* SetTight(Bytes tight);

  // The rest is for the engine's thread. An unexpected packet was read: true when the gate has been
  // shut on account of it.
  bool Unexpected(Us now);
  // When it is to be opened again.
  Us reopen_at() const { return reopen_at_; }
  void Reopen(Us now);

 private:
  bool Attach(bool shut);

  const int fd_;
  const Bytes open_;
  Bucket credit_{kCost * kBurst, 0};
  Us reopen_at_ = 0;
  Us opened_at_ = 0;
  Us shut_for_ = kShutFirst;

  std::mutex mutex_;
  Bytes tight_;
  bool shut_ = false;
};

}  // namespace vipd
