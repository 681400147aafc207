// The core of the BFD sessions as a JavaScript object with virtual time: the very class that the
// thread drives, for tests and the simulator.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_map>

#include "engine/bfd_core.h"

namespace vipd {

class BfdCoreObject : public Napi::ObjectWrap<BfdCoreObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit BfdCoreObject(const Napi::CallbackInfo& info);

 private:
  void Add(const Napi::CallbackInfo& info);
  void Remove(const Napi::CallbackInfo& info);
  void Order(const Napi::CallbackInfo& info);
  Napi::Value Packet(const Napi::CallbackInfo& info);
  Napi::Value Tick(const Napi::CallbackInfo& info);
  Napi::Value NextDeadline(const Napi::CallbackInfo& info);
  void Offer(const Napi::CallbackInfo& info);
  void TakeFrom(const Napi::CallbackInfo& info);
  Napi::Value ReadSession(const Napi::CallbackInfo& info);

  BfdCore core_;
  bool offered_ = false;
  std::vector<BfdEvent> unjudged_;  // since then
  std::unordered_map<SessionId, std::shared_ptr<BfdCounters>> counters_;
};

}  // namespace vipd
