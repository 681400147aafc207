// The engine as a JavaScript object: `new Engine(options, onDelivery)`. It lives until `stop` or
// the end of its environment (a worker that is terminated, a process that exits), whichever comes
// first.
#pragma once

#include <napi.h>

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/descriptor_reserve.h"
#include "engine/engine.h"

namespace vipd {

class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit EngineObject(const Napi::CallbackInfo& info);
  ~EngineObject() override;

  // For objects that hold a reference to this one; after `stop` what it is told has no effect.
  Engine& engine() { return *engine_; }

 private:
  static void CallJs(Napi::Env env, Napi::Function callback, EngineObject* self, void* data);
  using Notifier = Napi::TypedThreadSafeFunction<EngineObject, void, CallJs>;

  Napi::Value Start(const Napi::CallbackInfo& info);
  void StartWarden(const Napi::CallbackInfo& info);
  Napi::Value EndWarden(const Napi::CallbackInfo& info);
  Napi::Value ReadBeats(const Napi::CallbackInfo& info);
  Napi::Value OpenLink(const Napi::CallbackInfo& info);
  void SetFilter(const Napi::CallbackInfo& info);
  void CloseLink(const Napi::CallbackInfo& info);
  void AddSlotTo(const Napi::CallbackInfo& info);
  void SetPeersOf(const Napi::CallbackInfo& info);
  void SetLivenessTo(const Napi::CallbackInfo& info);
  void RemoveSlotFrom(const Napi::CallbackInfo& info);
  void SetSealOf(const Napi::CallbackInfo& info);
  Napi::Value ReadSealMemory(const Napi::CallbackInfo& info);
  Napi::Value ReadSenders(const Napi::CallbackInfo& info);
  void GiveOrder(const Napi::CallbackInfo& info);
  void AskFlush(const Napi::CallbackInfo& info);
  void AskKernel(const Napi::CallbackInfo& info);
  void Listen(const Napi::CallbackInfo& info);
  void Renew(const Napi::CallbackInfo& info);
  void Acknowledge(const Napi::CallbackInfo& info);
  Napi::Value ReadSlot(const Napi::CallbackInfo& info);
  Napi::Value ReadGaps(const Napi::CallbackInfo& info);
  Napi::Value RejoinLinks(const Napi::CallbackInfo& info);
  Napi::Value ReadLink(const Napi::CallbackInfo& info);
  Napi::Value ReadWakeups(const Napi::CallbackInfo& info);
  void OfferExchangeOf(const Napi::CallbackInfo& info);
  void WithdrawExchangeOf(const Napi::CallbackInfo& info);
  void BeReady(const Napi::CallbackInfo& info);
  void StopEngine(const Napi::CallbackInfo& info);
  static void AtExit(void* self);
  void End(bool orderly);

  struct OpenedLink {
    LinkPtr link;
    std::shared_ptr<LinkCounters> counters;
    std::optional<Address> group;
  };
  OpenedLink& LinkAt(const Napi::Value& id);

  napi_env env_;
  bool ended_ = true;
  Notifier notifier_;
  std::unique_ptr<Engine> engine_;
  DescriptorReserve reserve_;
  LinkId next_link_ = 1;
  std::unordered_map<LinkId, OpenedLink> links_;
  std::unordered_map<SlotId, std::shared_ptr<SlotCounters>> slots_;
  // Also of slots without sockets, which may get others.
  std::map<SlotId, std::shared_ptr<SealSenders>> senders_;
};

}  // namespace vipd
