// The BFD sessions as a JavaScript object: `new Bfd(options, engine, onEvents)`. It opens sockets
// and hands them to a thread of its own (engine/bfd_thread.h), which is there while there is a
// session. Methods throw as `Failed` says.
#pragma once

#include <napi.h>

#include <map>
#include <memory>
#include <unordered_map>

#include "base/descriptor_reserve.h"
#include "engine/bfd_thread.h"
#include "engine/engine.h"

namespace vipd {

class BfdObject : public Napi::ObjectWrap<BfdObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit BfdObject(const Napi::CallbackInfo& info);
  ~BfdObject() override;

 private:
  static void CallJs(Napi::Env env, Napi::Function callback, BfdObject* self, void* data);
  using Notifier = Napi::TypedThreadSafeFunction<BfdObject, void, CallJs>;

  void OpenSession(const Napi::CallbackInfo& info);
  void CloseSession(const Napi::CallbackInfo& info);
  void GiveOrder(const Napi::CallbackInfo& info);
  Napi::Value ReadSession(const Napi::CallbackInfo& info);
  Napi::Value ReadUnclaimed(const Napi::CallbackInfo& info);
  void StopAll(const Napi::CallbackInfo& info);
  static void AtExit(void* self);
  void End();

  struct Opened {
    int receiver = 0;  // its key
    std::shared_ptr<BfdCounters> counters;
  };
  // Shared by the sessions of a family and port.
  struct Receiver {
    std::shared_ptr<UniqueFd> fd;
    int sessions = 0;
  };
  std::shared_ptr<UniqueFd> ReceiverFor(int family, uint16_t port);
  void StartThread();
  void Leave(int key);

  napi_env env_;
  bool ended_ = true;
  BfdOptions options_;
  Napi::ObjectReference engine_;  // kept until the thread has ended, which posts to it
  Engine* post_to_ = nullptr;     // null: no session takes anything over
  Notifier notifier_;
  std::unique_ptr<BfdThread> thread_;
  DescriptorReserve reserve_;
  std::minstd_rand random_;
  std::unordered_map<SessionId, Opened> sessions_;
  std::map<int, Receiver> receivers_;
};

}  // namespace vipd
