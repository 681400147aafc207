#include "engine/filter_gate.h"

#include <algorithm>

namespace vipd {

const char* FilterGate::SetTight(Bytes tight) {
  const std::lock_guard lock(mutex_);
  // The kernel judges it, whether or not it is to stand now.
  const char* failed = AttachFilter(fd_, tight);
  if (failed != nullptr) return failed;
  tight_ = std::move(tight);
  return shut_ || open_.empty() ? nullptr : AttachFilter(fd_, open_);
}

bool FilterGate::Attach(bool shut) {
  // Never wait for the main thread: the next packet tries again.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  shut_ = shut;
  AttachFilter(fd_, shut ? tight_ : open_);
  return true;
}

bool FilterGate::Unexpected(Us now) {
  if (open_.empty() || reopen_at_ != 0 || credit_.Take(now, allowance_)) return false;
  if (!Attach(true)) return false;
  const bool at_once = opened_at_ != 0 && now - opened_at_ < shut_first_;
  shut_for_ = at_once ? std::min(2 * shut_for_, shut_longest_) : shut_first_;
  reopen_at_ = now + shut_for_;
  return true;
}

void FilterGate::Reopen(Us now) {
  if (reopen_at_ == 0 || now < reopen_at_ || !Attach(false)) return;
  reopen_at_ = 0;
  opened_at_ = now;
}

}  // namespace vipd
