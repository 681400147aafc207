// The heard frames as a JavaScript object: `new Frames(policy, onFrames)`. It opens sockets and
// hands them to a thread of its own (engine/frame_watch.h), which is there while a socket is.
// Methods throw as `Failed` says.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_map>

#include "base/descriptor_reserve.h"
#include "engine/frame_watch.h"

namespace vipd {

class FrameWatchObject : public Napi::ObjectWrap<FrameWatchObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit FrameWatchObject(const Napi::CallbackInfo& info);
  ~FrameWatchObject() override;

 private:
  static void CallJs(Napi::Env env, Napi::Function callback, FrameWatchObject* self, void* data);
  using Notifier = Napi::TypedThreadSafeFunction<FrameWatchObject, void, CallJs>;

  void OpenSocket(const Napi::CallbackInfo& info);
  void SetFilter(const Napi::CallbackInfo& info);
  void CloseSocket(const Napi::CallbackInfo& info);
  Napi::Value ReadCounters(const Napi::CallbackInfo& info);
  void StopAll(const Napi::CallbackInfo& info);
  static void AtExit(void* self);
  void End();
  void StartThread();

  struct Opened {
    std::shared_ptr<UniqueFd> fd;
    std::shared_ptr<FrameWatchCounters> counters;
  };

  napi_env env_;
  bool ended_ = true;
  FrameWatchPolicy policy_;
  Notifier notifier_;
  std::unique_ptr<FrameWatch> thread_;
  DescriptorReserve reserve_;
  std::unordered_map<FrameWatchId, Opened> sockets_;
};

}  // namespace vipd
