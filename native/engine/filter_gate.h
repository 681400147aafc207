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
  // `open` empty: the tight filter always.
  FilterGate(int fd, Bytes open, Bytes tight, const EnginePolicy& policy)
      : fd_(fd),
        open_(std::move(open)),
        allowance_(policy.open_filter),
        shut_first_(policy.filter_shut_first),
        shut_longest_(policy.filter_shut_longest),
        credit_(Bucket::Full(allowance_)),
        shut_for_(shut_first_),
        tight_(std::move(tight)) {}

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
  const Allowance allowance_;
  const Us shut_first_;
  const Us shut_longest_;
  Bucket credit_;
  Us reopen_at_ = 0;
  Us opened_at_ = 0;
  Us shut_for_;

  std::mutex mutex_;
  Bytes tight_;
  bool shut_ = false;
};

}  // namespace vipd
