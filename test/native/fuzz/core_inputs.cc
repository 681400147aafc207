#include "core_inputs.h"

#include <algorithm>

namespace vipd {

Us SomeSpan(Input* in) {
  const int scale = in->Below(4);
  return in->Below(256) * (scale == 0 ? 0 : scale == 1 ? 100 : scale == 2 ? 10'000 : 100'000);
}

Address SomeSource(Input* in) {
  Address from;
  from.length = in->Below(2) == 0 ? 4 : 16;
  from.octets[3] = static_cast<uint8_t>(in->Below(3));
  return from;
}

Bytes SomePayload(Input* in) {
  Bytes payload = {0x31, static_cast<uint8_t>(1 + in->Below(kVrids)),
                   static_cast<uint8_t>(in->Below(3))};
  payload.resize(static_cast<size_t>(in->Below(5)));
  return payload;
}

namespace {

// Keys that differ within a lead, as plans have them.
Repeat SomeRepeat(Input* in, char key) {
  Repeat repeat;
  repeat.key = key;
  repeat.first_after = SomeSpan(in);
  repeat.every = SomeSpan(in);
  repeat.times = in->Below(3) == 0 ? Repeat::kForever : 1 + in->Below(4);
  if (repeat.every == 0) repeat.times = 1;
  repeat.plan = SomePlan(in);
  const bool joins = repeat.every > 0 && !repeat.plan->steps.empty() && in->Below(2) == 0;
  if (joins) repeat.slack = SomeSpan(in) % repeat.every;
  return repeat;
}

}  // namespace

LeadPtr SomeLead(Input* in) {
  auto lead = std::make_shared<Lead>();
  lead->now = SomePlan(in);
  lead->resign = SomePlan(in);
  lead->late = in->Below(8) * kSecond / 4;
  if (in->Below(4) == 0) lead->lease = SomeSpan(in);
  char key = 'a';
  for (int left = in->Below(4); left > 0; --left) {
    lead->repeats.push_back(SomeRepeat(in, key));
    key = static_cast<char>(key + 1 + in->Below(2));
  }
  return lead;
}

Order SomeFollow(Input* in, uint8_t vrid, Us now) {
  Order order;
  order.kind = Order::Kind::kFollow;
  order.now = SomePlan(in);
  order.lead = SomeLead(in);
  order.restart = SomeSpan(in);
  order.late = order.restart / (1 + in->Below(4));
  order.absent = order.restart;
  order.deadline = std::max<Us>(0, now + SomeSpan(in) - SomeSpan(in));
  if (in->Below(3) > 0) order.expect = ExpectedAdvert{SomeSource(in), 255, SomePayload(in)};
  if (order.expect.has_value() && in->Below(4) > 0) order.expect->payload = {0x31, vrid};
  if (in->Below(4) == 0) order.overruled = SomeSource(in);
  if (in->Below(3) > 0) return order;
  order.ask = SomePlan(in);
  order.ask_before = SomeSpan(in);
  return order;
}

}  // namespace vipd
