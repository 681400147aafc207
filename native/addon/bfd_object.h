// The BFD sessions as a JavaScript object: `new Bfd(options, engine, onEvents)`. It opens sockets
// and hands them to a thread of its own (engine/bfd_thread.h), which is there while there is a
// session. Methods throw as `Failed` says.
#pragma once

#include <napi.h>

#include <map>
#include <memory>
#include <unordered_map>

#include "base/descriptor_reserve.h"
#include "base/descriptors.h"
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
  // bfd_succession.cc: the first of two processes, and the second.
  Napi::Value OfferSessions(const Napi::CallbackInfo& info);
  void WithdrawSessions(const Napi::CallbackInfo& info);
  void InheritSessions(const Napi::CallbackInfo& info);
  void EndInheritance(const Napi::CallbackInfo& info);
  bool ThreadAgrees(const BfdSuccession& to);
  static void AtExit(void* self);
  void End();

  struct Opened {
    int receiver = 0;  // its key
    std::shared_ptr<BfdCounters> counters;
    std::shared_ptr<UniqueFd> sender;
  };
  // Shared by the sessions of a family and port.
  struct Receiver {
    std::shared_ptr<UniqueFd> fd;
    int sessions = 0;
  };
  std::shared_ptr<UniqueFd> ReceiverFor(int family, uint16_t port);
  std::shared_ptr<UniqueFd> SenderFor(const BfdSocketSpec& spec, SessionId before);
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
  // Of the process before, by tag, until it is succeeded.
  BfdSuccession from_;
  std::map<uint64_t, UniqueFd> inherited_;
};

// What a descriptor is that one process sends to the next, in the upper half; the lower one is the
// receiver's key or the session's number.
enum BfdTag : uint64_t {
  kBfdMemory = 1ull << 32,
  kBfdToSecond = 2ull << 32,
  kBfdToFirst = 3ull << 32,
  kBfdReceiver = 4ull << 32,
  kBfdSender = 5ull << 32
};

}  // namespace vipd
