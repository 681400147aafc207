#include "core_object.h"

#include <algorithm>

#include "convert.h"

namespace vipd {

namespace {

int32_t IntAt(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Int32Value();
}

Us UsAt(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Int64Value();
}

}  // namespace

Napi::Function CoreObject::Define(Napi::Env env) {
  return DefineClass(
      env, "Core",
      {InstanceMethod<&CoreObject::AddLink>("addLink"),
       InstanceMethod<&CoreObject::AddSlot>("addSlot"),
       InstanceMethod<&CoreObject::SetPeers>("setPeers"),
       InstanceMethod<&CoreObject::SetLiveness>("setLiveness"),
       InstanceMethod<&CoreObject::RemoveSlot>("removeSlot"),
       InstanceMethod<&CoreObject::Order>("order"), InstanceMethod<&CoreObject::Packet>("packet"),
       InstanceMethod<&CoreObject::Renew>("renew"), InstanceMethod<&CoreObject::Worked>("worked"),
       InstanceMethod<&CoreObject::Tick>("tick"),
       InstanceMethod<&CoreObject::Overtaken>("overtaken"),
       InstanceMethod<&CoreObject::NextDeadline>("nextDeadline"),
       InstanceMethod<&CoreObject::ReadSlot>("counters"),
       InstanceMethod<&CoreObject::ReadGaps>("gaps"),
       InstanceMethod<&CoreObject::ReadLink>("linkCounters")});
}

CoreObject::CoreObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<CoreObject>(info),
      core_(std::make_unique<Core>(UsAt(info, 0), UsAt(info, 1))) {}

void CoreObject::AddLink(const Napi::CallbackInfo& info) {
  auto counters = std::make_shared<LinkCounters>();
  links_[IntAt(info, 0)] = counters;
  core_->AddLink(IntAt(info, 0), counters);
}

void CoreObject::AddSlot(const Napi::CallbackInfo& info) {
  auto counters = std::make_shared<SlotCounters>();
  slots_[IntAt(info, 0)] = counters;
  core_->AddSlot(IntAt(info, 0), IntAt(info, 1), static_cast<uint8_t>(IntAt(info, 2)),
                 AddressesFrom(info[3].As<Napi::Array>()), counters);
}

void CoreObject::SetPeers(const Napi::CallbackInfo& info) {
  core_->SetPeers(IntAt(info, 0), AddressesFrom(info[1].As<Napi::Array>()));
}

void CoreObject::SetLiveness(const Napi::CallbackInfo& info) {
  core_->SetLiveness(UsAt(info, 0), UsAt(info, 1));
}

void CoreObject::RemoveSlot(const Napi::CallbackInfo& info) {
  slots_.erase(IntAt(info, 0));
  core_->RemoveSlot(IntAt(info, 0));
}

void CoreObject::Order(const Napi::CallbackInfo& info) {
  for (OrderFor& order : OrdersFrom(info[0].As<Napi::Array>()))
    core_->Apply(std::move(order), static_cast<uint64_t>(UsAt(info, 2)), UsAt(info, 1));
}

void CoreObject::Packet(const Napi::CallbackInfo& info) {
  const Bytes payload = BytesFrom(info[3]);
  core_->Receive(IntAt(info, 0), AddressFrom(info[1]), IntAt(info, 2), payload, UsAt(info, 4));
}

void CoreObject::Renew(const Napi::CallbackInfo& info) { core_->Renew(UsAt(info, 0)); }

void CoreObject::Worked(const Napi::CallbackInfo& info) {
  core_->Worked(static_cast<uint64_t>(UsAt(info, 0)), UsAt(info, 1));
}

void CoreObject::Overtaken(const Napi::CallbackInfo& info) { core_->Overtaken(UsAt(info, 0)); }

Napi::Value CoreObject::Tick(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  core_->Tick(UsAt(info, 0));
  Napi::Object out = Napi::Object::New(env);
  out.Set("effects", CarryOut(env, UsAt(info, 0), info[1]));
  out.Set("events", EventsTo(env, core_->TakeEvents()));
  return out;
}

// In virtual time everything is done at once; `refuse(effect)` may answer an errno.
Napi::Array CoreObject::CarryOut(Napi::Env env, Us now, const Napi::Value& refuse) {
  Batch batch = core_->TakeBatch();
  for (Run& run : batch) run.first_at = run.sent_at = run.done_at = now;
  const Arranged order = Arrange(batch);
  std::vector<Failure> failures;
  Napi::Array effects = Napi::Array::New(env);
  for (const auto* stage : {&order.datagrams, &order.netlink, &order.frames}) {
    for (const Place place : *stage) {
      const Run& run = batch[place.run];
      Napi::Object effect = Napi::Object::New(env);
      effect.Set("slot", run.slot);
      effect.Set("generation", static_cast<double>(run.generation));
      effect.Set("index", place.step);
      effect.Set("step", StepTo(env, run.plan->steps[place.step]));
      effects.Set(effects.Length(), effect);
      if (!refuse.IsFunction()) continue;
      const int error = refuse.As<Napi::Function>().Call({effect}).ToNumber().Int32Value();
      if (error != 0) failures.push_back({place.run, place.step, "refused", error, ""});
    }
  }
  std::ranges::stable_sort(failures, {}, &Failure::run);
  core_->Settle(batch, failures);
  return effects;
}

Napi::Value CoreObject::NextDeadline(const Napi::CallbackInfo& info) {
  const Us next = core_->NextDeadline();
  if (next == kNever) return info.Env().Null();
  return Napi::Number::New(info.Env(), static_cast<double>(next));
}

Napi::Value CoreObject::ReadSlot(const Napi::CallbackInfo& info) {
  return CountersTo(info.Env(), slots_.at(IntAt(info, 0)).get());
}

Napi::Value CoreObject::ReadGaps(const Napi::CallbackInfo& info) {
  return GapsTo(info.Env(), slots_.at(IntAt(info, 0))->gaps);
}

Napi::Value CoreObject::ReadLink(const Napi::CallbackInfo& info) {
  return CountersTo(info.Env(), *links_.at(IntAt(info, 0)));
}

}  // namespace vipd
