#include "addon/bfd_core_object.h"

#include "addon/convert.h"
#include "addon/convert_bfd.h"
#include "engine/bfd_exchange.h"

namespace vipd {

namespace {

SessionId SessionAt(const Napi::CallbackInfo& info) {
  return info[0].As<Napi::Number>().Int32Value();
}

Us UsAt(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Int64Value();
}

Napi::Array TakeoverTo(Napi::Env env, const BfdEvent& event) {
  Napi::Array out = Napi::Array::New(env, event.takeover.size());
  for (uint32_t i = 0; i < event.takeover.size(); ++i)
    out.Set(i, Napi::Number::New(env, event.takeover[i]));
  return out;
}

}  // namespace

Napi::Function BfdCoreObject::Define(Napi::Env env) {
  return DefineClass(
      env, "BfdCore",
      {InstanceMethod<&BfdCoreObject::Add>("add"), InstanceMethod<&BfdCoreObject::Remove>("remove"),
       InstanceMethod<&BfdCoreObject::Order>("order"),
       InstanceMethod<&BfdCoreObject::Packet>("packet"),
       InstanceMethod<&BfdCoreObject::Tick>("tick"), InstanceMethod<&BfdCoreObject::Offer>("offer"),
       InstanceMethod<&BfdCoreObject::TakeFrom>("takeFrom"),
       InstanceMethod<&BfdCoreObject::NextDeadline>("nextDeadline"),
       InstanceMethod<&BfdCoreObject::ReadSession>("counters")});
}

// BfdCore(seed)
BfdCoreObject::BfdCoreObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<BfdCoreObject>(info), core_(static_cast<uint64_t>(UsAt(info, 0))) {}

// add(session, discriminator, peer, local or null, minTtl)
void BfdCoreObject::Add(const Napi::CallbackInfo& info) {
  auto counters = std::make_shared<BfdCounters>();
  counters_[SessionAt(info)] = counters;
  BfdPath path;
  path.peer = AddressFrom(info[2]);
  if (!info[3].IsNull()) path.local = AddressFrom(info[3]);
  path.min_ttl = static_cast<int>(UsAt(info, 4));
  core_.Add(SessionAt(info), static_cast<uint32_t>(UsAt(info, 1)), path, counters);
}

void BfdCoreObject::Remove(const Napi::CallbackInfo& info) {
  counters_.erase(SessionAt(info));
  core_.Remove(SessionAt(info));
}

// order(session, standing, now)
void BfdCoreObject::Order(const Napi::CallbackInfo& info) {
  core_.Apply(SessionAt(info), BfdOrderFrom(info[1].As<Napi::Object>()), UsAt(info, 2));
}

// packet(from, to, ttl, bytes, at): false for one that is no session's
Napi::Value BfdCoreObject::Packet(const Napi::CallbackInfo& info) {
  const Bytes bytes = BytesFrom(info[3]);
  BfdArrival arrival;
  arrival.from = AddressFrom(info[0]);
  arrival.to = AddressFrom(info[1]);
  arrival.ttl = static_cast<int>(UsAt(info, 2));
  arrival.packet = bytes;
  arrival.at = UsAt(info, 4);
  return Napi::Boolean::New(info.Env(), core_.Receive(arrival));
}

// tick(now): what is to be sent, what is raised, and which master each lost session means.
Napi::Value BfdCoreObject::Tick(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (core_.NextDeadline() <= UsAt(info, 0)) core_.Tick(UsAt(info, 0));
  Napi::Array sends = Napi::Array::New(env);
  for (const BfdSend& send : core_.TakeSends()) {
    if (send.bytes == nullptr) continue;
    Napi::Object one = Napi::Object::New(env);
    Set(&one, "session", send.session);
    one.Set("bytes", BytesTo(env, *send.bytes));
    sends.Set(sends.Length(), one);
  }
  const std::vector<BfdEvent> events = core_.TakeEvents();
  if (offered_)
    for (const BfdEvent& event : events) AddEvent(&unjudged_, event);
  Napi::Array lost = Napi::Array::New(env);
  for (const BfdEvent& event : events) {
    if (event.kind != BfdEvent::Kind::kExpired || event.takeover.empty()) continue;
    Napi::Object one = Napi::Object::New(env);
    one.Set("master", AddressTo(env, event.peer));
    one.Set("slots", TakeoverTo(env, event));
    lost.Set(lost.Length(), one);
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("sends", sends);
  out.Set("events", BfdEventsTo(env, events));
  out.Set("lost", lost);
  return out;
}

// offer(): all that was raised by now is judged.
void BfdCoreObject::Offer(const Napi::CallbackInfo&) {
  offered_ = true;
  unjudged_.clear();
}

// takeFrom(core or null, sessions, now): goes on where that core ends; null: that has told nothing.
// The sessions in pairs: there, and here. What was raised there passes through the memory of an
// exchange, as between two processes.
void BfdCoreObject::TakeFrom(const Napi::CallbackInfo& info) {
  core_.GoOnFrom(UsAt(info, 2));
  if (info[0].IsNull()) return;
  BfdCoreObject* other = Unwrap(info[0].As<Napi::Object>());
  std::unordered_map<SessionId, SessionId> here;
  const auto pairs = info[1].As<Napi::Array>();
  const auto session = [&](uint32_t i) { return pairs.Get(i).As<Napi::Number>().Int32Value(); };
  for (uint32_t i = 0; i + 1 < pairs.Length(); i += 2) here[session(i)] = session(i + 1);
  OpenFailure failure;
  const auto memory = BfdExchange::Make(&failure);
  if (memory == nullptr) throw Failed(info.Env(), failure.call, failure.error);
  const std::vector<BfdTold> told = other->core_.Tell();
  memory->Give(told, other->unjudged_, 0, 0);
  core_.TakeUp(memory->sessions().first(told.size()), memory->Unjudged(), here);
}

Napi::Value BfdCoreObject::NextDeadline(const Napi::CallbackInfo& info) {
  const Us next = core_.NextDeadline();
  if (next == kNever) return info.Env().Null();
  return Napi::Number::New(info.Env(), static_cast<double>(next));
}

Napi::Value BfdCoreObject::ReadSession(const Napi::CallbackInfo& info) {
  const auto found = counters_.find(SessionAt(info));
  if (found == counters_.end()) throw Napi::Error::New(info.Env(), "no such session");
  return BfdCountersTo(info.Env(), *found->second);
}

}  // namespace vipd
