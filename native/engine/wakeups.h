// How late the engine's thread wakes up for what is due, counted by length. Written by that thread
// and read by the main thread; each figure stands for itself.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/plan.h"

namespace vipd {

class WakeupRecord {
 public:
  // Of the first, a thread with real-time priority is seldom later; from the last on, adverts at
  // the shortest interval of VRRP fail to come in time.
  static constexpr std::array<Us, 9> kUntil = {100,   250,    500,    1'000,  2'500,
                                               5'000, 10'000, 25'000, 100'000};

  void Note(Us late) {
    const auto bucket = std::ranges::lower_bound(kUntil, late) - kUntil.begin();
    Add(&counts_[static_cast<size_t>(bucket)], 1);
    Add(&sum_, static_cast<uint64_t>(late));
  }

  // Of those that were later than the bound before and at most `kUntil[i]`; the last one: later.
  uint64_t count(size_t i) const { return counts_[i].load(std::memory_order_relaxed); }
  uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  // There is one writer.
  static void Add(std::atomic<uint64_t>* figure, uint64_t more) {
    figure->store(figure->load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  std::array<std::atomic<uint64_t>, kUntil.size() + 1> counts_{};
  std::atomic<uint64_t> sum_{0};
};

}  // namespace vipd
