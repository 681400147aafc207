// How many unexpected packets may reach TypeScript. Each source has a bucket of its own; the table
// of buckets is of fixed size, and a source that is not in it must first be admitted by its link's
// bucket for strangers, so that spoofed sources can neither grow the table nor pass as a crowd.
#pragma once

#include <algorithm>
#include <array>

#include "base/plan.h"

namespace vipd {

// Credit is counted in microseconds of waiting: a packet costs the span in which one is earned.
struct Bucket {
  Us credit = 0;
  Us at = 0;

  bool Take(Us now, Us cost, int burst) {
    credit = std::min<Us>(credit + std::max<Us>(now - at, 0), cost * burst);
    at = now;
    if (credit < cost) return false;
    credit -= cost;
    return true;
  }
};

class Throttle {
 public:
  // 200 packets a second and source, 50 at once.
  static constexpr Us kCost = 5'000;
  static constexpr int kBurst = 50;
  // 1,000 new sources a second and link, 250 at once.
  static constexpr Us kStrangerCost = 1'000;
  static constexpr int kStrangerBurst = 250;

  // 8 packets a second and slot, 8 at once, whoever sends them: hundreds of masters that are heard
  // for the first time in one interval come from one source, and are no flood.
  static constexpr Us kSlotCost = 125'000;
  static constexpr int kSlotBurst = 8;

  static Bucket ForSlot() { return {kSlotCost * kSlotBurst, 0}; }
  static Bucket ForSource() { return {kCost * kBurst, 0}; }
  static Bucket ForStrangers() { return {kStrangerCost * kStrangerBurst, 0}; }

  bool Admit(LinkId link, const Address& from, Bucket* strangers, Us now) {
    auto& set = sets_[Hash(link, from) % kSets];
    Entry* oldest = &set[0];
    for (Entry& entry : set) {
      if (entry.used && entry.link == link && entry.from == from)
        return entry.bucket.Take(now, kCost, kBurst);
      if (!entry.used || (oldest->used && entry.bucket.at < oldest->bucket.at)) oldest = &entry;
    }
    if (!strangers->Take(now, kStrangerCost, kStrangerBurst)) return false;
    *oldest = {true, link, from, {kCost * (kBurst - 1), now}};
    return true;
  }

 private:
  static constexpr size_t kSets = 256;
  static constexpr size_t kWays = 4;

  struct Entry {
    bool used = false;
    LinkId link = 0;
    Address from;
    Bucket bucket;
  };

  static uint64_t Hash(LinkId link, const Address& from) {
    uint64_t h = 0xcbf29ce484222325u ^ static_cast<uint64_t>(link);
    for (size_t i = 0; i < from.length; ++i) h = (h ^ from.octets[i]) * 0x100000001b3u;
    return h ^ (h >> 29);
  }

  std::array<std::array<Entry, kWays>, kSets> sets_{};
};

}  // namespace vipd
