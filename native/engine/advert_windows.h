// How many adverts were heard and how many were missing, and the longest silence: by windows of
// a length that is given, the last twelve of them, and since the start. Written by the engine's
// thread and read by the main thread; each figure stands for itself.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/plan.h"

namespace vipd {

class AdvertWindows {
 public:
  // Fixed, so that counting allocates nothing.
  static constexpr size_t kWindows = 12;

  explicit AdvertWindows(Us span) : span_(span) {}

  struct Window {
    std::atomic<Us> start{-1};  // -1: never used
    std::atomic<uint64_t> heard{0};
    std::atomic<uint64_t> missed{0};
    std::atomic<Us> longest{0};
  };

  // An advert came `gap` after the one before; `interval` is its sender's, 0 when it is not known.
  void Heard(Us now, Us gap, Us interval) {
    Window& window = At(now);
    const auto missed = interval > 0 && gap > interval
                            ? static_cast<uint64_t>((gap + interval / 2) / interval - 1)
                            : 0;
    Add(&window.heard, 1);
    Add(&window.missed, missed);
    Add(&heard_, 1);
    Add(&missed_, missed);
    Longest(&window, gap);
  }

  // A silence that ended in a take-over: as long as any, but of a master that may be dead, so that
  // its adverts were not lost.
  void Silent(Us now, Us gap) { Longest(&At(now), gap); }

  const std::array<Window, kWindows>& windows() const { return windows_; }
  uint64_t heard() const { return heard_.load(kRelaxed); }
  uint64_t missed() const { return missed_.load(kRelaxed); }

 private:
  static constexpr auto kRelaxed = std::memory_order_relaxed;

  static void Add(std::atomic<uint64_t>* to, uint64_t n) {
    to->store(to->load(kRelaxed) + n, kRelaxed);
  }

  static void Longest(Window* window, Us gap) {
    if (gap > window->longest.load(kRelaxed)) window->longest.store(gap, kRelaxed);
  }

  Window& At(Us now) {
    const Us start = now - now % span_;
    Window& window = windows_[static_cast<size_t>(now / span_) % kWindows];
    if (window.start.load(kRelaxed) == start) return window;
    window.heard.store(0, kRelaxed);
    window.missed.store(0, kRelaxed);
    window.longest.store(0, kRelaxed);
    window.start.store(start, kRelaxed);
    return window;
  }

  const Us span_;
  std::array<Window, kWindows> windows_;
  std::atomic<uint64_t> heard_{0};
  std::atomic<uint64_t> missed_{0};
};

}  // namespace vipd
