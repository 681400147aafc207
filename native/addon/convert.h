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
// Nothing for null. `memory`: null, or what a process before knew of the slot's seal.
std::optional<AnySeal> SealFrom(const Napi::Value& seal, const Napi::Value& memory,
                                const EnginePolicy& policy);
// The sequence that it had used last; 0: none.
SealSequence SentFrom(const Napi::Value& memory);
std::shared_ptr<SealSenders> SendersFor(const std::optional<AnySeal>& seal);

Napi::Array EventsTo(Napi::Env env, const std::vector<Event>& events);
const char* KindName(StepKind kind);
Napi::Object StepTo(Napi::Env env, const Step& step);
Napi::Object CountersTo(Napi::Env env, const SlotCounters* counters);
Napi::Object GapsTo(Napi::Env env, const SlotCounters& counters);
Napi::Object CountersTo(Napi::Env env, const LinkCounters& counters);
Napi::Object WakeupsTo(Napi::Env env, const WakeupRecord& wakeups);
const char* VerdictName(SealVerdict verdict);
Napi::Object VerdictsTo(Napi::Env env, const SlotCounters& counters);
// `senders` null: none.
Napi::Array SendersTo(Napi::Env env, const SealSenders* senders);
// As `SealFrom` takes it.
Napi::Object SealMemoryTo(Napi::Env env, const SealSenders* senders, SealSequence sent);
Napi::Object StartTo(Napi::Env env, const EngineStart& start);
// An Error with `op`, `errno` and `detail`.
Napi::Error Failed(Napi::Env env, const std::string& op, int error, const std::string& detail = "");

}  // namespace vipd
