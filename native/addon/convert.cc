#include "addon/convert.h"

#include <linux/netlink.h>

#include <cstring>
#include <string>

namespace vipd {

namespace {

Napi::TypeError Wrong(Napi::Env env, const std::string& what) {
  return Napi::TypeError::New(env, what);
}

Napi::Object ObjectFrom(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw Wrong(value.Env(), std::string(name) + " is not an object");
  return value.As<Napi::Object>();
}

Napi::Array ArrayIn(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsArray()) throw Wrong(object.Env(), std::string(name) + " is not an array");
  return value.As<Napi::Array>();
}

std::string TextIn(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsString()) throw Wrong(object.Env(), std::string(name) + " is not a string");
  return value.As<Napi::String>().Utf8Value();
}

Us UsIn(const Napi::Object& object, const char* name) {
  return static_cast<Us>(NumberIn(object, name));
}

int IntIn(const Napi::Object& object, const char* name) {
  return static_cast<int>(NumberIn(object, name));
}

Step DatagramFrom(const Napi::Object& value) {
  Step step;
  step.kind = StepKind::kDatagram;
  step.target = IntIn(value, "link");
  step.to = AddressFrom(value.Get("to"));
  step.bytes = BytesFrom(value.Get("bytes"));
  return step;
}

Step FrameFrom(const Napi::Object& value) {
  Step step;
  step.kind = StepKind::kFrame;
  step.target = IntIn(value, "ifindex");
  step.bytes = BytesFrom(value.Get("bytes"));
  return step;
}

Step NetlinkFrom(const Napi::Object& value) {
  Step step;
  step.kind = StepKind::kNetlink;
  step.bytes = RequestFrom(value.Get("bytes"));
  const Napi::Array tolerate = ArrayIn(value, "tolerate");
  for (uint32_t i = 0; i < tolerate.Length(); ++i)
    step.tolerate.push_back(tolerate.Get(i).As<Napi::Number>().Int32Value());
  return step;
}

Step StepFrom(const Napi::Object& value) {
  const std::string kind = TextIn(value, "kind");
  if (kind == "datagram") return DatagramFrom(value);
  if (kind == "frame") return FrameFrom(value);
  if (kind == "netlink") return NetlinkFrom(value);
  throw Wrong(value.Env(), "no such step: " + kind);
}

PlanPtr PlanIn(const Napi::Object& object, const char* name) {
  const Napi::Array values = ArrayIn(object, name);
  std::vector<Step> steps;
  steps.reserve(values.Length());
  for (uint32_t i = 0; i < values.Length(); ++i)
    steps.push_back(StepFrom(ObjectFrom(values.Get(i), "step")));
  return MakePlan(std::move(steps));
}

Repeat RepeatFrom(const Napi::Object& value) {
  Repeat repeat;
  repeat.key = TextIn(value, "key");
  repeat.first_after = UsIn(value, "firstAfterUs");
  repeat.every = UsIn(value, "everyUs");
  if (!value.Get("slackUs").IsUndefined()) repeat.slack = UsIn(value, "slackUs");
  if (!value.Get("times").IsUndefined()) repeat.times = UsIn(value, "times");
  repeat.plan = PlanIn(value, "plan");
  if (repeat.every <= 0 && repeat.times != 1)
    throw Napi::RangeError::New(value.Env(), "repeat " + repeat.key + " has no period");
  if (repeat.slack < 0 || (repeat.slack > 0 && repeat.slack >= repeat.every))
    throw Napi::RangeError::New(value.Env(),
                                "repeat " + repeat.key + " has a slack like its period");
  if (repeat.times == 0 || repeat.times < Repeat::kForever || repeat.first_after < 0)
    throw Napi::RangeError::New(value.Env(), "repeat " + repeat.key + " never runs");
  return repeat;
}

LeadPtr LeadFrom(const Napi::Object& value) {
  auto lead = std::make_shared<Lead>();
  lead->now = PlanIn(value, "now");
  lead->resign = PlanIn(value, "resign");
  lead->late = UsIn(value, "lateUs");
  const Napi::Array repeats = ArrayIn(value, "repeats");
  for (uint32_t i = 0; i < repeats.Length(); ++i)
    lead->repeats.push_back(RepeatFrom(ObjectFrom(repeats.Get(i), "repeat")));
  return lead;
}

Order FollowFrom(const Napi::Object& value) {
  Order order;
  order.kind = Order::Kind::kFollow;
  order.now = PlanIn(value, "now");
  order.deadline = UsIn(value, "deadlineUs");
  order.restart = UsIn(value, "restartUs");
  if (!value.Get("intervalUs").IsUndefined()) order.interval = UsIn(value, "intervalUs");
  order.lead = LeadFrom(ObjectFrom(value.Get("onExpiry"), "onExpiry"));
  const Napi::Value expect = value.Get("expect");
  if (expect.IsNull()) return order;
  const Napi::Object advert = ObjectFrom(expect, "expect");
  order.expect = ExpectedAdvert{AddressFrom(advert.Get("from")), IntIn(advert, "ttl"),
                                BytesFrom(advert.Get("payload"))};
  return order;
}

Order OrderFrom(const Napi::Object& value) {
  const std::string kind = TextIn(value, "kind");
  if (kind == "follow") return FollowFrom(value);
  Order order;
  if (kind == "lead") {
    order.kind = Order::Kind::kLead;
    order.lead = LeadFrom(value);
    return order;
  }
  if (kind != "idle" && kind != "once") throw Wrong(value.Env(), "no such order: " + kind);
  order.kind = kind == "idle" ? Order::Kind::kIdle : Order::Kind::kOnce;
  order.now = PlanIn(value, "now");
  return order;
}

Napi::Value BytesTo(Napi::Env env, const uint8_t* data, size_t length) {
  Napi::Uint8Array out = Napi::Uint8Array::New(env, length);
  if (length > 0) memcpy(out.Data(), data, length);
  return out;
}

Napi::Value BytesTo(Napi::Env env, const Bytes& bytes) {
  return BytesTo(env, bytes.data(), bytes.size());
}

Napi::Value AddressTo(Napi::Env env, const Address& address) {
  return BytesTo(env, address.octets.data(), address.length);
}

const char* KindName(StepKind kind) {
  switch (kind) {
    case StepKind::kDatagram:
      return "datagram";
    case StepKind::kNetlink:
      return "netlink";
    case StepKind::kFrame:
      return "frame";
  }
  return "";
}

const char* KindName(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kPacket:
      return "packet";
    case Event::Kind::kExpired:
      return "expired";
    case Event::Kind::kFailed:
      return "failed";
    case Event::Kind::kLate:
      return "late";
    case Event::Kind::kLapsed:
      return "lapsed";
    case Event::Kind::kKernel:
      return "kernel";
    case Event::Kind::kOverrun:
      return "overrun";
    case Event::Kind::kLinkFailed:
      return "linkFailed";
    case Event::Kind::kWardenLost:
      return "wardenLost";
    case Event::Kind::kRealtimeLost:
      return "realtimeLost";
    case Event::Kind::kStranger:
      return "stranger";
    case Event::Kind::kAnswer:
      return "answer";
  }
  return "";
}

void Set(Napi::Object* object, const char* name, Us value) {
  object->Set(name, static_cast<double>(value));
}

void SetSlot(Napi::Object* out, const Event& event) {
  Set(out, "slot", event.slot);
  Set(out, "generation", event.generation);
  Set(out, "at", event.at);
}

void SetFailure(Napi::Object* out, const Event& event) {
  out->Set("call", event.call);
  Set(out, "errno", event.error);
}

Napi::Object EventTo(Napi::Env env, const Event& event) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("kind", KindName(event.kind));
  switch (event.kind) {
    case Event::Kind::kPacket:
      SetSlot(&out, event);
      Set(&out, "link", event.link);
      out.Set("from", AddressTo(env, event.from));
      Set(&out, "ttl", event.ttl);
      out.Set("payload", BytesTo(env, event.bytes));
      Set(&out, "count", event.count);
      break;
    case Event::Kind::kExpired:
      SetSlot(&out, event);
      Set(&out, "deadlineUs", event.deadline);
      Set(&out, "doneAt", event.done_at);
      break;
    case Event::Kind::kFailed:
      SetSlot(&out, event);
      SetFailure(&out, event);
      Set(&out, "step", event.step);
      out.Set("stepKind", KindName(event.step_kind));
      out.Set("detail", event.detail);
      out.Set("request", event.bytes.empty() ? env.Null() : BytesTo(env, event.bytes));
      break;
    case Event::Kind::kLate:
      SetSlot(&out, event);
      Set(&out, "lateUs", event.late_by);
      break;
    case Event::Kind::kLapsed:
      SetSlot(&out, event);
      break;
    case Event::Kind::kKernel:
      out.Set("bytes", BytesTo(env, event.bytes));
      break;
    case Event::Kind::kOverrun:
    case Event::Kind::kWardenLost:
    case Event::Kind::kRealtimeLost:
      break;
    case Event::Kind::kStranger:
      Set(&out, "link", event.link);
      Set(&out, "vrid", event.vrid);
      out.Set("from", AddressTo(env, event.from));
      break;
    case Event::Kind::kLinkFailed:
      Set(&out, "link", event.link);
      SetFailure(&out, event);
      break;
    case Event::Kind::kAnswer:
      Set(&out, "id", event.id);
      if (event.call == nullptr) {
        out.Set("bytes", BytesTo(env, event.bytes));
        break;
      }
      SetFailure(&out, event);
      out.Set("detail", event.detail);
      break;
  }
  return out;
}

Napi::Value InstantTo(Napi::Env env, Us at) {
  return at < 0 ? env.Null() : Napi::Number::New(env, static_cast<double>(at));
}

}  // namespace

double NumberIn(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) throw Wrong(object.Env(), std::string(name) + " is not a number");
  return value.As<Napi::Number>().DoubleValue();
}

Bytes BytesFrom(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Wrong(value.Env(), "bytes are not a Uint8Array");
  const auto array = value.As<Napi::Uint8Array>();
  const size_t length = array.ElementLength();
  return length == 0 ? Bytes() : Bytes(array.Data(), array.Data() + length);
}

std::vector<Address> AddressesFrom(const Napi::Array& list) {
  std::vector<Address> out;
  for (uint32_t i = 0; i < list.Length(); ++i) out.push_back(AddressFrom(list.Get(i)));
  return out;
}

Address AddressFrom(const Napi::Value& value) {
  const Bytes bytes = BytesFrom(value);
  if (bytes.size() != 4 && bytes.size() != 16)
    throw Wrong(value.Env(), "an address has 4 or 16 octets");
  Address address;
  address.length = static_cast<uint8_t>(bytes.size());
  memcpy(address.octets.data(), bytes.data(), bytes.size());
  return address;
}

Bytes RequestFrom(const Napi::Value& value) {
  Bytes bytes = BytesFrom(value);
  nlmsghdr header{};
  if (bytes.size() >= sizeof header) memcpy(&header, bytes.data(), sizeof header);
  if (header.nlmsg_len < sizeof header || header.nlmsg_len != bytes.size())
    throw Napi::RangeError::New(value.Env(), "not one rtnetlink message: nlmsg_len differs");
  return bytes;
}

LinkSpec LinkSpecFrom(const Napi::Object& value) {
  LinkSpec spec;
  spec.interface = TextIn(value, "interface");
  spec.ifindex = IntIn(value, "ifindex");
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

EngineOptions OptionsFrom(const Napi::Object& value) {
  EngineOptions options;
  options.realtime_priority = IntIn(value, "realtimePriority");
  options.rttime = UsIn(value, "rttimeUs");
  options.lock_memory = value.Get("lockMemory").ToBoolean();
  options.liveness = UsIn(value, "livenessUs");
  return options;
}

std::vector<OrderFor> OrdersFrom(const Napi::Array& values) {
  std::vector<OrderFor> orders;
  orders.reserve(values.Length());
  for (uint32_t i = 0; i < values.Length(); ++i) {
    const Napi::HandleScope scope(values.Env());
    const Napi::Object value = ObjectFrom(values.Get(i), "order");
    orders.push_back({IntIn(value, "slot"), static_cast<int64_t>(NumberIn(value, "generation")),
                      OrderFrom(ObjectFrom(value.Get("order"), "order"))});
  }
  return orders;
}

Napi::Array EventsTo(Napi::Env env, const std::vector<Event>& events) {
  Napi::Array out = Napi::Array::New(env, events.size());
  for (uint32_t i = 0; i < events.size(); ++i) {
    const Napi::HandleScope scope(env);
    out.Set(i, EventTo(env, events[i]));
  }
  return out;
}

Napi::Object StepTo(Napi::Env env, const Step& step) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("kind", KindName(step.kind));
  out.Set("bytes", BytesTo(env, step.bytes));
  if (step.kind == StepKind::kFrame) Set(&out, "ifindex", step.target);
  if (step.kind == StepKind::kDatagram) {
    Set(&out, "link", step.target);
    out.Set("to", AddressTo(env, step.to));
  }
  if (step.kind != StepKind::kNetlink) return out;
  Napi::Array tolerate = Napi::Array::New(env);
  for (uint32_t i = 0; i < step.tolerate.size(); ++i) tolerate.Set(i, step.tolerate[i]);
  out.Set("tolerate", tolerate);
  return out;
}

Napi::Object CountersTo(Napi::Env env, const SlotCounters* counters) {
  Napi::Object out = Napi::Object::New(env);
  Set(&out, "received", static_cast<Us>(counters->received.load()));
  Set(&out, "sent", static_cast<Us>(counters->sent.load()));
  out.Set("lastReceivedUs", InstantTo(env, counters->last_received.load()));
  out.Set("lastExpectedUs", InstantTo(env, counters->last_expected.load()));
  out.Set("lastSentUs", InstantTo(env, counters->last_sent.load()));
  return out;
}

Napi::Object CountersTo(Napi::Env env, const LinkCounters& counters) {
  Napi::Object out = Napi::Object::New(env);
  Set(&out, "received", static_cast<Us>(counters.received.load()));
  Set(&out, "throttled", static_cast<Us>(counters.throttled.load()));
  Set(&out, "coalesced", static_cast<Us>(counters.coalesced.load()));
  Set(&out, "unclaimed", static_cast<Us>(counters.unclaimed.load()));
  return out;
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
