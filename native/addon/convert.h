// Between JavaScript values and the engine's own. Everything is copied at this edge; addresses
// cross as octets and errnos as numbers. A value of the wrong shape is a bug of the caller and
// throws TypeError, a number that cannot be meant RangeError.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "addon/values.h"
#include "base/sockets.h"
#include "engine/core.h"
#include "engine/engine.h"

namespace vipd {

LinkSpec LinkSpecFrom(const Napi::Object& spec);
EnginePolicy PolicyFrom(const Napi::Object& policy);
EngineOptions OptionsFrom(const Napi::Object& options);
std::vector<OrderFor> OrdersFrom(const Napi::Array& orders);
// Nothing for null.
std::optional<Seal> SealFrom(const Napi::Value& seal);
std::shared_ptr<SealSenders> SendersFor(const std::optional<Seal>& seal);

Napi::Array EventsTo(Napi::Env env, const std::vector<Event>& events);
const char* KindName(StepKind kind);
Napi::Object StepTo(Napi::Env env, const Step& step);
Napi::Object CountersTo(Napi::Env env, const SlotCounters* counters);
Napi::Object GapsTo(Napi::Env env, const SlotCounters& counters);
Napi::Object CountersTo(Napi::Env env, const LinkCounters& counters);
const char* VerdictName(SealVerdict verdict);
Napi::Object VerdictsTo(Napi::Env env, const SlotCounters& counters);
// `senders` null: none.
Napi::Array SendersTo(Napi::Env env, const SealSenders* senders);
Napi::Object StartTo(Napi::Env env, const EngineStart& start);
// An Error with `op`, `errno` and `detail`.
Napi::Error Failed(Napi::Env env, const std::string& op, int error, const std::string& detail = "");

}  // namespace vipd
