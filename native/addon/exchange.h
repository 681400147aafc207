// What an upgrade in place needs of the system: the exchange's memory, the successor, what it
// inherits.
#pragma once

#include <napi.h>

#include <unordered_map>

#include "base/exchange.h"
#include "base/plan.h"

namespace vipd {

// Null for null and undefined.
std::shared_ptr<Exchange> ExchangeFrom(const Napi::Value& value);

void DefineExchange(Napi::Env env, Napi::Object exports);

// Slots of one engine and of another, in turns.
std::unordered_map<SlotId, SlotId> SlotPairsFrom(const Napi::Array& pairs);

}  // namespace vipd
