// How many unexpected packets may reach TypeScript. Each source has a bucket of its own; the table
// of buckets is of fixed size, and a source that is not in it must first be admitted by its link's
// bucket for strangers, so that spoofed sources can neither grow the table nor pass as a crowd.
#pragma once

#include <algorithm>
#include <array>

#include "base/plan.h"
#include "engine/policy.h"

namespace vipd {

// Credit is counted in microseconds of waiting: a packet costs the span in which one is earned.
struct Bucket {
  Us credit = 0;
  Us at = 0;

  static Bucket Full(const Allowance& allowance) { return {allowance.every * allowance.burst, 0}; }

  bool Take(Us now, const Allowance& allowance) {
    const Us most = allowance.every * allowance.burst;
    credit = std::min<Us>(credit + std::max<Us>(now - at, 0), most);
    at = now;
    if (credit < allowance.every) return false;
    credit -= allowance.every;
    return true;
  }
};

class Throttle {
 public:
  Throttle(const Allowance& source, const Allowance& new_source)
      : source_(source), new_source_(new_source) {}

  bool Admit(LinkId link, const Address& from, Bucket* strangers, Us now) {
    auto& set = sets_[Hash(link, from) % kSets];
    Entry* oldest = &set[0];
    for (Entry& entry : set) {
      if (entry.used && entry.link == link && entry.from == from)
        return entry.bucket.Take(now, source_);
      if (!entry.used || (oldest->used && entry.bucket.at < oldest->bucket.at)) oldest = &entry;
    }
    if (!strangers->Take(now, new_source_)) return false;
    *oldest = {true, link, from, {source_.every * (source_.burst - 1), now}};
    return true;
  }

 private:
  // Room for a thousand sources in the cache of one core; a power of two, so that the rest is
  // cheap.
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

  const Allowance source_;
  const Allowance new_source_;
  std::array<std::array<Entry, kWays>, kSets> sets_{};
};

}  // namespace vipd
