// What convert.h is for VRRP, for BFD.
#pragma once

#include <napi.h>

#include <vector>

#include "addon/values.h"
#include "engine/bfd_core.h"

namespace vipd {

// Empty for null.
Bytes BytesOrNone(const Napi::Value& value);
BfdOrder BfdOrderFrom(const Napi::Object& value);
Napi::Array BfdEventsTo(Napi::Env env, const std::vector<BfdEvent>& events);
Napi::Object BfdCountersTo(Napi::Env env, const BfdCounters& counters);

}  // namespace vipd
