// What the engine counts, by slot and by link.
#pragma once

#include <array>
#include <atomic>

#include "base/plan.h"
#include "engine/advert_windows.h"
#include "engine/gaps.h"
#include "engine/policy.h"
#include "engine/seal_check.h"

namespace vipd {

// Written by the engine's thread and read by the main thread; each figure stands for itself.
struct alignas(64) SlotCounters {
  std::atomic<uint64_t> received{0};
  std::atomic<uint64_t> sent{0};
  std::atomic<Us> last_received{-1};
  std::atomic<Us> last_expected{-1};
  std::atomic<Us> last_sent{-1};
  // Of what was heard, by verdict; without a trailer, and accepted so.
  std::array<std::atomic<uint64_t>, kSealVerdicts> seals{};
  std::atomic<uint64_t> unsigned_heard{0};
  GapRecord gaps;
  AdvertWindows adverts;

  explicit SlotCounters(const EnginePolicy& policy)
      : gaps(policy.unusual_gap_percent), adverts(policy.advert_window) {}
};

struct LinkCounters {
  std::atomic<uint64_t> received{0};
  std::atomic<uint64_t> throttled{0};
  std::atomic<uint64_t> coalesced{0};
  std::atomic<uint64_t> unclaimed{0};
};

}  // namespace vipd
