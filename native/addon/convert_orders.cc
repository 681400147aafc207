// Orders on their way down: plans, leads, what is expected. And a step of a plan on its way up.
#include <string>
#include <utility>

#include "addon/convert.h"

namespace vipd {

namespace {

Step DatagramFrom(const Napi::Object& value) {
  Step step;
  step.kind = StepKind::kDatagram;
  step.target = IntIn(value, "link");
  step.to = AddressFrom(value.Get("to"));
  if (!value.Get("head").IsUndefined()) step.head = BytesFrom(value.Get("head"));
  step.bytes = BytesFrom(value.Get("bytes"));
  return step;
}

Pace PaceFrom(const Napi::Object& value) {
  Pace pace;
  pace.key = TextIn(value, "key");
  pace.gap = UsIn(value, "gapUs");
  pace.withdrawn = value.Get("withdrawn").ToBoolean().Value();
  if (pace.gap <= 0) throw Napi::RangeError::New(value.Env(), "pace " + pace.key + " has no gap");
  return pace;
}

Step FrameFrom(const Napi::Object& value) {
  Step step;
  step.kind = StepKind::kFrame;
  step.target = IntIn(value, "ifindex");
  step.bytes = BytesFrom(value.Get("bytes"));
  if (!value.Get("pace").IsUndefined()) step.pace = PaceFrom(ObjectFrom(value.Get("pace"), "pace"));
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
  lead->warden_late = UsIn(value, "wardenLateUs");
  if (!value.Get("leaseUs").IsUndefined()) lead->lease = UsIn(value, "leaseUs");
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
  order.late = UsIn(value, "lateUs");
  order.absent = UsIn(value, "absentUs");
  if (!value.Get("intervalUs").IsUndefined()) order.interval = UsIn(value, "intervalUs");
  order.lead = LeadFrom(ObjectFrom(value.Get("onExpiry"), "onExpiry"));
  if (!value.Get("ask").IsUndefined()) {
    const Napi::Object ask = ObjectFrom(value.Get("ask"), "ask");
    order.ask = PlanIn(ask, "plan");
    order.ask_before = UsIn(ask, "beforeUs");
  }
  if (!value.Get("overruled").IsUndefined()) order.overruled = AddressFrom(value.Get("overruled"));
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

}  // namespace

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

Napi::Object StepTo(Napi::Env env, const Step& step) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("kind", KindName(step.kind));
  out.Set("bytes", BytesTo(env, step.bytes));
  if (step.kind == StepKind::kFrame) Set(&out, "ifindex", step.target);
  if (step.kind == StepKind::kDatagram) {
    Set(&out, "link", step.target);
    out.Set("to", AddressTo(env, step.to));
    if (!step.head.empty()) out.Set("head", BytesTo(env, step.head));
  }
  if (step.kind != StepKind::kNetlink) return out;
  Napi::Array tolerate = Napi::Array::New(env);
  for (uint32_t i = 0; i < step.tolerate.size(); ++i) tolerate.Set(i, step.tolerate[i]);
  out.Set("tolerate", tolerate);
  return out;
}

}  // namespace vipd
