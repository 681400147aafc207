// The addon's export table. It keeps no state of its own, so every environment that loads it is
// independent.
#include <linux/netlink.h>
#include <napi.h>
#include <unistd.h>

#include <vector>

#include "addon/bfd_core_object.h"
#include "addon/bfd_object.h"
#include "addon/check_sockets.h"
#include "addon/convert.h"
#include "addon/core_object.h"
#include "addon/egress.h"
#include "addon/engine_object.h"
#include "addon/exchange.h"
#include "addon/files_object.h"
#include "addon/frame_watch_object.h"
#include "addon/programs.h"
#include "addon/ruleset_news.h"
#include "base/inquiry.h"
#include "base/signals.h"
#include "host/children.h"
#include "host/lock.h"
#include "host/supervisor.h"
#include "host/surroundings.h"

namespace {

Napi::Value Request(const Napi::CallbackInfo& info) {
  const vipd::Answer answer = vipd::Request(vipd::RequestFrom(info[0]), NETLINK_ROUTE);
  if (answer.call != nullptr)
    throw vipd::Failed(info.Env(), answer.call, answer.error, answer.detail);
  Napi::Uint8Array out = Napi::Uint8Array::New(info.Env(), answer.bytes.size());
  std::copy(answer.bytes.begin(), answer.bytes.end(), out.Data());
  return out;
}

Napi::Value TellSupervisor(const Napi::CallbackInfo& info) {
  const int error = vipd::TellSupervisor(info[0].As<Napi::String>().Utf8Value(),
                                         info[1].As<Napi::String>().Utf8Value());
  return Napi::Number::New(info.Env(), error);
}

Napi::Value LockForLife(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), vipd::LockForLife(info[0].As<Napi::String>().Utf8Value()));
}

// The process's number, 0 if it cannot be seen, or null.
Napi::Value LockHolder(const Napi::CallbackInfo& info) {
  const auto holder = vipd::LockHolder(info[0].As<Napi::String>().Utf8Value());
  return holder ? Napi::Number::New(info.Env(), *holder) : info.Env().Null();
}

Napi::Value KillLockHolder(const Napi::CallbackInfo& info) {
  const int error = vipd::KillLockHolder(info[0].As<Napi::String>().Utf8Value(),
                                         info[1].As<Napi::Number>().Int32Value());
  return Napi::Number::New(info.Env(), error);
}

Napi::Value ReapOrphans(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), vipd::ReapOrphans());
}

void SurviveSignals(const Napi::CallbackInfo&) { vipd::SurviveSignals(); }

// watchSignals(numbers): a descriptor, or a negative errno.
Napi::Value WatchSignals(const Napi::CallbackInfo& info) {
  const auto given = info[0].As<Napi::Array>();
  std::vector<int> signals;
  for (uint32_t i = 0; i < given.Length(); ++i)
    signals.push_back(given.Get(i).As<Napi::Number>().Int32Value());
  return Napi::Number::New(info.Env(), vipd::WatchSignals(signals));
}

Napi::Value EnterNetwork(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), vipd::EnterNetwork(info[0].As<Napi::String>().Utf8Value()));
}

Napi::Value UseProcessors(const Napi::CallbackInfo& info) {
  std::vector<int> processors;
  const auto list = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++)
    processors.push_back(list.Get(i).As<Napi::Number>().Int32Value());
  return Napi::Number::New(info.Env(), vipd::UseProcessors(processors));
}

Napi::Value AllowCores(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), vipd::AllowCores());
}

Napi::Value TickUs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(vipd::TickUs()));
}

// Node's own exit joins every thread; one that hangs in a system call would hold the process.
Napi::Value ExitNow(const Napi::CallbackInfo& info) {
  _exit(info[0].As<Napi::Number>().Int32Value());
}

Napi::Value HoldName(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), vipd::HoldName(info[0].As<Napi::String>().Utf8Value()));
}

// sha256(bytes), md5(bytes), hmacSha256(key, bytes) and hmacMd5(key, bytes), as the seals use them.
template <typename Hash>
Napi::Value HashOf(const Napi::CallbackInfo& info) {
  Hash hash;
  hash.Add(vipd::BytesFrom(info[0]));
  const auto digest = hash.Done();
  return vipd::BytesTo(info.Env(), {digest.begin(), digest.end()});
}

template <typename Hash>
Napi::Value MacOf(const Napi::CallbackInfo& info) {
  const auto key = vipd::MakeHmacKeyOf<Hash>(vipd::BytesFrom(info[0]));
  const vipd::Bytes octets = vipd::BytesFrom(info[1]);
  const std::array<std::span<const uint8_t>, 1> parts = {octets};
  const auto digest = vipd::HmacOf<Hash>(key, parts);
  return vipd::BytesTo(info.Env(), {digest.begin(), digest.end()});
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", vipd::EngineObject::Define(env));
  exports.Set("Core", vipd::CoreObject::Define(env));
  exports.Set("Bfd", vipd::BfdObject::Define(env));
  exports.Set("BfdCore", vipd::BfdCoreObject::Define(env));
  exports.Set("Frames", vipd::FrameWatchObject::Define(env));
  exports.Set("request", Napi::Function::New(env, Request, "request"));
  exports.Set("lockForLife", Napi::Function::New(env, LockForLife, "lockForLife"));
  exports.Set("lockHolder", Napi::Function::New(env, LockHolder, "lockHolder"));
  exports.Set("killLockHolder", Napi::Function::New(env, KillLockHolder, "killLockHolder"));
  exports.Set("surviveSignals", Napi::Function::New(env, SurviveSignals, "surviveSignals"));
  exports.Set("reapOrphans", Napi::Function::New(env, ReapOrphans, "reapOrphans"));
  exports.Set("watchSignals", Napi::Function::New(env, WatchSignals, "watchSignals"));
  exports.Set("enterNetwork", Napi::Function::New(env, EnterNetwork, "enterNetwork"));
  exports.Set("useProcessors", Napi::Function::New(env, UseProcessors, "useProcessors"));
  exports.Set("tickUs", Napi::Function::New(env, TickUs, "tickUs"));
  exports.Set("allowCores", Napi::Function::New(env, AllowCores, "allowCores"));
  exports.Set("exitNow", Napi::Function::New(env, ExitNow, "exitNow"));
  exports.Set("holdName", Napi::Function::New(env, HoldName, "holdName"));
  exports.Set("tellSupervisor", Napi::Function::New(env, TellSupervisor, "tellSupervisor"));
  exports.Set("sha256", Napi::Function::New(env, HashOf<vipd::Sha256>, "sha256"));
  exports.Set("md5", Napi::Function::New(env, HashOf<vipd::Md5>, "md5"));
  exports.Set("hmacSha256", Napi::Function::New(env, MacOf<vipd::Sha256>, "hmacSha256"));
  exports.Set("hmacMd5", Napi::Function::New(env, MacOf<vipd::Md5>, "hmacMd5"));
  vipd::DefineFiles(env, exports);
  vipd::DefineEgress(env, exports);
  vipd::DefineExchange(env, exports);
  vipd::DefinePrograms(env, exports);
  vipd::DefineRuleset(env, exports);
  vipd::DefineSenses(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(vipd, Init)
