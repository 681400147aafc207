// How long the pauses between adverts were: all of them counted by length, the unusual ones with
// their instants. Written by the engine's thread and read by the main thread; each figure stands
// for itself.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/plan.h"

namespace vipd {

class GapRecord {
 public:
  // Four buckets for each doubling, from 1,024 µs (and below) to 67 s (and above): below is no
  // interval of VRRP, above is none that is in use. src/engine/gaps.ts has the same bounds, which a
  // test holds equal.
  static constexpr int kBuckets = 64;
  // Fixed, so that noting one allocates nothing.
  static constexpr int kLongMax = 32;

  // `unusual_percent`: of the usual gap; one that is longer is kept with its instant.
  explicit GapRecord(int64_t unusual_percent) : unusual_percent_(unusual_percent) {}

  struct Long {
    Us at = 0;
    Us gap = 0;
  };

  void Note(Us now, Us gap) {
    std::atomic<uint32_t>& bucket = buckets_[Bucket(gap)];
    bucket.store(bucket.load(kRelaxed) + 1, kRelaxed);
    if (usual_ > 0 && gap > usual_ * unusual_percent_ / 100) {
      const uint32_t count = long_count_.load(kRelaxed);
      at_[count % kLongMax].store(now, kRelaxed);
      gap_[count % kLongMax].store(gap, kRelaxed);
      long_count_.store(count + 1, kRelaxed);
      // So many in a row are another interval than before.
      unusual_ += 1;
      if (unusual_ == kLongMax) usual_ = gap;
      return;
    }
    unusual_ = 0;
    // A moving mean, as TCP's of round trips (RFC 6298).
    usual_ = usual_ == 0 ? gap : usual_ + (gap - usual_) / 8;
  }

  // Of another interval than before: what was counted says nothing about this one.
  void Clear() {
    for (auto& bucket : buckets_) bucket.store(0, kRelaxed);
    long_count_.store(0, kRelaxed);
    usual_ = 0;
    unusual_ = 0;
  }

  uint32_t bucket(int i) const { return buckets_[i].load(kRelaxed); }
  // Of all long gaps the last kLongMax are kept; the i-th of those, the oldest first.
  int long_kept() const {
    return static_cast<int>(std::min<uint32_t>(long_count_.load(kRelaxed), kLongMax));
  }
  Long long_at(int i) const {
    const uint32_t count = long_count_.load(kRelaxed);
    const uint32_t index = (count > kLongMax ? count + i : i) % kLongMax;
    return {at_[index].load(kRelaxed), gap_[index].load(kRelaxed)};
  }

  static int Bucket(Us gap) {
    const auto value = static_cast<uint64_t>(gap < 1'024 ? 1'024 : gap);
    const int octave = std::bit_width(value) - 1;
    const int quarter = static_cast<int>(value >> (octave - 2)) & 3;
    return std::min(4 * (octave - 10) + quarter, kBuckets - 1);
  }

 private:
  static constexpr auto kRelaxed = std::memory_order_relaxed;

  std::array<std::atomic<uint32_t>, kBuckets> buckets_{};
  std::array<std::atomic<Us>, kLongMax> at_{};
  std::array<std::atomic<Us>, kLongMax> gap_{};
  std::atomic<uint32_t> long_count_{0};
  // The writer's own.
  const int64_t unusual_percent_;
  Us usual_ = 0;
  int unusual_ = 0;
};

}  // namespace vipd
