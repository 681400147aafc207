#include "addon/convert_bfd.h"

namespace vipd {

namespace {

int ThousandthsIn(const Napi::Object& object, const char* name) {
  return static_cast<int>(NumberIn(object, name) * 1'000);
}

BfdRepeat RepeatFrom(const Napi::Object& value) {
  BfdRepeat out;
  out.bytes = BytesFrom(value.Get("bytes"));
  out.every = UsIn(value, "everyUs");
  const Napi::Object shorter = ObjectIn(value, "shorter");
  out.shorter_least = ThousandthsIn(shorter, "least");
  out.shorter_most = ThousandthsIn(shorter, "most");
  return out;
}

}  // namespace

Bytes BytesOrNone(const Napi::Value& value) { return value.IsNull() ? Bytes() : BytesFrom(value); }

BfdOrder BfdOrderFrom(const Napi::Object& value) {
  BfdOrder out;
  const Napi::Value repeat = value.Get("repeat");
  if (!repeat.IsNull()) out.repeat = RepeatFrom(repeat.As<Napi::Object>());
  out.answer = BytesOrNone(value.Get("answer"));
  out.expect = BytesOrNone(value.Get("expect"));
  if (!value.Get("detectionUs").IsNull()) out.detection = UsIn(value, "detectionUs");
  const Napi::Value down = value.Get("onExpiry");
  if (!down.IsNull()) out.on_expiry = RepeatFrom(down.As<Napi::Object>());
  if (!value.Get("heardAt").IsNull()) out.heard_at = UsIn(value, "heardAt");
  out.polling = value.Get("polling").ToBoolean();
  out.expiries = static_cast<uint64_t>(NumberIn(value, "expiries"));
  const Napi::Array slots = ArrayIn(value, "takeover");
  for (uint32_t i = 0; i < slots.Length(); ++i)
    out.takeover.push_back(slots.Get(i).As<Napi::Number>().Int32Value());
  return out;
}

namespace {

Napi::Object EventTo(Napi::Env env, const BfdEvent& event) {
  Napi::Object out = Napi::Object::New(env);
  const bool packet = event.kind == BfdEvent::Kind::kPacket;
  out.Set("kind", packet ? "packet" : "expired");
  Set(&out, "session", event.session);
  Set(&out, "at", event.at);
  Set(&out, "expiries", static_cast<Us>(event.expiries));
  if (packet)
    out.Set("packet", BytesTo(env, event.packet));
  else
    Set(&out, "deadlineUs", event.deadline);
  return out;
}

}  // namespace

Napi::Array BfdEventsTo(Napi::Env env, const std::vector<BfdEvent>& events) {
  Napi::Array out = Napi::Array::New(env, events.size());
  for (uint32_t i = 0; i < events.size(); ++i) out.Set(i, EventTo(env, events[i]));
  return out;
}

Napi::Object BfdCountersTo(Napi::Env env, const BfdCounters& counters) {
  Napi::Object out = Napi::Object::New(env);
  Set(&out, "received", static_cast<Us>(counters.received.load()));
  Set(&out, "sent", static_cast<Us>(counters.sent.load()));
  Set(&out, "badTtl", static_cast<Us>(counters.bad_ttl.load()));
  Set(&out, "sendErrno", counters.send_error.load());
  Set(&out, "lastReceivedUs", counters.last_received.load());
  Set(&out, "longestGapUs", counters.longest.load());
  return out;
}

}  // namespace vipd
