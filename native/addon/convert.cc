// What the engine is started and its links are opened with, and what became of it.
#include "addon/convert.h"

#include <string>

#include "addon/exchange.h"

namespace vipd {

namespace {

// A span or a count of which none would be no policy but a division by zero, or silence.
int64_t PositiveIn(const Napi::Object& object, const char* name) {
  const Us value = UsIn(object, name);
  if (value > 0) return value;
  throw Napi::RangeError::New(object.Env(), std::string(name) + " is not above 0");
}

Allowance AllowanceIn(const Napi::Object& object, const char* name) {
  const Napi::Object value = ObjectIn(object, name);
  return {PositiveIn(value, "everyUs"), static_cast<int>(PositiveIn(value, "burst"))};
}

}  // namespace

LinkSpec LinkSpecFrom(const Napi::Object& value) {
  LinkSpec spec;
  spec.interface = TextIn(value, "interface");
  spec.ifindex = IntIn(value, "ifindex");
  spec.ah = value.Get("ah").ToBoolean();
  spec.receive_on_any = value.Get("receiveOnAny").ToBoolean();
  spec.source = AddressFrom(value.Get("source"));
  if (!value.Get("group").IsNull()) spec.group = AddressFrom(value.Get("group"));
  if (!value.Get("ttl").IsNull()) spec.ttl = IntIn(value, "ttl");
  spec.filter = BytesFrom(value.Get("filter"));
  if (value.Has("openFilter")) spec.open_filter = BytesFrom(value.Get("openFilter"));
  if (!value.Get("receiveBufferBytes").IsNull())
    spec.receive_buffer = IntIn(value, "receiveBufferBytes");
  return spec;
}

EnginePolicy PolicyFrom(const Napi::Object& value) {
  EnginePolicy policy;
  policy.source = AllowanceIn(value, "source");
  policy.new_source = AllowanceIn(value, "newSource");
  policy.slot = AllowanceIn(value, "slot");
  policy.open_filter = AllowanceIn(value, "openFilter");
  policy.packets_waiting = static_cast<size_t>(PositiveIn(value, "packetsWaiting"));
  const Napi::Object shut = ObjectIn(value, "filterShutUs");
  policy.filter_shut_first = PositiveIn(shut, "first");
  policy.filter_shut_longest = PositiveIn(shut, "longest");
  policy.unusual_gap_percent = PositiveIn(value, "unusualGapPercent");
  policy.advert_window = PositiveIn(value, "advertWindowUs");
  policy.traffic_class = IntIn(value, "trafficClass");
  policy.rttime_grace = PositiveIn(value, "rttimeGraceUs");
  policy.warden_beat = PositiveIn(value, "wardenBeatUs");
  const Napi::Object end = ObjectIn(value, "wardenEndUs");
  policy.warden_ends = PositiveIn(end, "dismissed");
  policy.warden_killed = PositiveIn(end, "killed");
  const Napi::Object exchange = ObjectIn(value, "exchangeUs");
  policy.exchange_room = PositiveIn(exchange, "room");
  policy.exchange_room_patience = PositiveIn(exchange, "roomPatience");
  policy.exchange_taken_least = PositiveIn(exchange, "takenLeast");
  policy.exchange_taken_most = PositiveIn(exchange, "takenMost");
  policy.exchange_kept = PositiveIn(exchange, "kept");
  return policy;
}

EngineOptions OptionsFrom(const Napi::Object& value) {
  EngineOptions options;
  options.realtime_priority = IntIn(value, "realtimePriority");
  options.rttime = UsIn(value, "rttimeUs");
  options.lock_memory = value.Get("lockMemory").ToBoolean();
  options.liveness = UsIn(value, "livenessUs");
  options.policy = PolicyFrom(ObjectIn(value, "policy"));
  options.succeeds = ExchangeFrom(value.Get("succeeds"));
  return options;
}

Napi::Object StartTo(Napi::Env env, const EngineStart& start) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("realtime", start.realtime);
  out.Set("locked", start.locked);
  Napi::Array notes = Napi::Array::New(env);
  for (uint32_t i = 0; i < start.notes.size(); ++i) notes.Set(i, start.notes[i]);
  out.Set("notes", notes);
  return out;
}

Napi::Error Failed(Napi::Env env, const std::string& op, int error, const std::string& detail) {
  Napi::Error out = Napi::Error::New(env, op + ": errno " + std::to_string(error));
  out.Set("op", Napi::String::New(env, op));
  out.Set("errno", Napi::Number::New(env, error));
  out.Set("detail", Napi::String::New(env, detail));
  return out;
}

}  // namespace vipd
