// What the targets that drive a core draw from their input: short spans, few sources, leads and
// follows of all kinds.
#pragma once

#include "engine/core.h"
#include "fuzz.h"

namespace vipd {

constexpr Us kSecond = 1'000'000;
constexpr int kVrids = 6;

// Often zero, up to some seconds.
Us SomeSpan(Input* in);
Address SomeSource(Input* in);
Bytes SomePayload(Input* in);
LeadPtr SomeLead(Input* in);
// With an expected advert in most cases, of `vrid` in most of those; some ask before the deadline.
Order SomeFollow(Input* in, uint8_t vrid, Us now);

}  // namespace vipd
