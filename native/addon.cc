// The addon's export table. It keeps no state of its own, so every environment that loads it is
// independent.
#include <napi.h>

#include "convert.h"
#include "core_object.h"
#include "engine_object.h"

namespace {

Napi::Value Request(const Napi::CallbackInfo& info) {
  const vipd::Answer answer = vipd::Request(vipd::RequestFrom(info[0]));
  if (!answer.call.empty())
    throw vipd::Failed(info.Env(), answer.call, answer.error, answer.detail);
  Napi::Uint8Array out = Napi::Uint8Array::New(info.Env(), answer.bytes.size());
  std::copy(answer.bytes.begin(), answer.bytes.end(), out.Data());
  return out;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", vipd::EngineObject::Define(env));
  exports.Set("Core", vipd::CoreObject::Define(env));
  exports.Set("request", Napi::Function::New(env, Request, "request"));
  return exports;
}

}  // namespace

NODE_API_MODULE(vipd, Init)
