// Descriptors that are kept free for what must be opened at any time, whatever else has used up the
// process's limit: a link's sockets when its interface comes back, a warden in place of a lost one.
#pragma once

#include <sys/eventfd.h>

#include <vector>

#include "base/sockets.h"

namespace vipd {

class DescriptorReserve {
 public:
  DescriptorReserve() { Refill(); }

  // Runs `open` with the spare descriptors free. What it does not take is spare again after it;
  // what it took is replaced now or, if the limit is reached, after a later call.
  template <typename Open>
  auto With(Open open) {
    struct Refilling {
      DescriptorReserve* reserve;
      ~Refilling() { reserve->Refill(); }
    } refilling = {this};
    spare_.clear();
    return open();
  }

 private:
  // The sockets of two links, or a warden's pair, page, lock and their copies.
  static constexpr size_t kSpare = 10;

  void Refill() {
    while (spare_.size() < kSpare) {
      UniqueFd fd(eventfd(0, EFD_CLOEXEC));
      if (fd.get() < 0) return;
      spare_.push_back(std::move(fd));
    }
  }

  std::vector<UniqueFd> spare_;
};

}  // namespace vipd
