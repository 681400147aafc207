// The numbers by which the engine behaves. TypeScript decides them and hands them over at start
// (src/engine/policy.ts says of each what it is and why); here they have no defaults. What depends
// on an instance (how late is too late) comes with its orders.
#pragma once

#include "base/plan.h"

namespace vipd {

// A token bucket: one token each `every`, at most `burst` of them.
struct Allowance {
  Us every = 0;
  int burst = 0;
};

struct EnginePolicy {
  Allowance source;
  Allowance new_source;
  Allowance slot;
  Allowance open_filter;
  size_t packets_waiting = 0;
  Us filter_shut_first = 0;
  Us filter_shut_longest = 0;
  int64_t unusual_gap_percent = 0;
  Us advert_window = 0;
  int traffic_class = 0;
  Us rttime_grace = 0;
  Us warden_beat = 0;
  Us warden_ends = 0;
  Us warden_killed = 0;
  Us exchange_room = 0;
  Us exchange_room_patience = 0;
  Us exchange_taken_least = 0;
  Us exchange_taken_most = 0;
  Us exchange_kept = 0;
};

}  // namespace vipd
