// What TypeScript orders of a slot, and what it leads with once it does. Spans and instants are in
// microseconds, instants on CLOCK_MONOTONIC; nothing here is checked: src/engine/ makes them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/plan.h"

namespace vipd {

struct Repeat {
  // No number of times.
  static constexpr int64_t kForever = -1;

  // What it is: the same key with the same `every` keeps its phase and count when a lead replaces a
  // lead.
  std::string key;
  Us first_after = 0;  // from the beginning of the lead
  Us every = 0;        // 0 only with times 1
  Us slack = 0;        // so much earlier when another repeat goes out; less than `every`
  int64_t times = kForever;
  PlanPtr plan;
};

struct Lead {
  PlanPtr now;
  std::vector<Repeat> repeats;
  PlanPtr resign;
  // A repeat that is woken later than this resigns instead: a peer may have taken over (RFC 9568
  // section 6.1, Active_Down_Interval, less one interval).
  Us late = 0;
  Us warden_late = 0;  // the warden gives it up when the engine is later than that
  // The kernel answers for the addresses for at least so long after an advert, and refuses adverts
  // that come later; 0: it does neither.
  Us lease = 0;
};
using LeadPtr = std::shared_ptr<const Lead>;

struct ExpectedAdvert {
  Address from;
  int ttl = 0;
  Bytes payload;
};

struct Order {
  enum class Kind : uint8_t { kIdle, kFollow, kLead, kOnce };

  Kind kind = Kind::kIdle;
  PlanPtr now;  // idle, follow, once
  std::optional<ExpectedAdvert> expect;
  std::optional<Address> overruled;  // a lower master, whose adverts restart nothing
  Us deadline = 0;                   // an instant: when the master counts as down (section 6.4.2)
  Us restart = 0;                    // from an expected advert to the next deadline
  Us late = 0;      // woken later than that past the deadline it listens again, once;
  Us absent = 0;    // later than that, each time
  Us interval = 0;  // of the master's adverts; 0: not known
  LeadPtr lead;     // lead, and what a follow becomes
  // Follow: carried out once, so long before the deadline; null: nothing.
  PlanPtr ask;
  Us ask_before = 0;
};

struct OrderFor {
  SlotId slot = 0;
  int64_t generation = 0;
  Order order;
};

}  // namespace vipd
