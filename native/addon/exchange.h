// What an upgrade in place needs of the system: the exchange's memory, the successor, what it
// inherits.
#pragma once

#include <napi.h>

#include "base/exchange.h"

namespace vipd {

// Null for null and undefined.
std::shared_ptr<Exchange> ExchangeFrom(const Napi::Value& value);

void DefineExchange(Napi::Env env, Napi::Object exports);

}  // namespace vipd
