#include "addon/frame_watch_object.h"

#include <cerrno>
#include <utility>

#include "addon/callback.h"
#include "addon/convert.h"

namespace vipd {

namespace {

FrameWatchId WatchAt(const Napi::CallbackInfo& info) {
  return info[0].As<Napi::Number>().Int32Value();
}

FrameKey KeyFrom(const Napi::Object& spec) {
  FrameKey key;
  const Napi::Array places = ArrayIn(spec, "keyAt");
  for (uint32_t i = 0; i < places.Length(); ++i)
    key.places.push_back(places.Get(i).As<Napi::Number>().Uint32Value());
  key.octets = static_cast<size_t>(IntIn(spec, "keyOctets"));
  return key;
}

FrameWatchPolicy FramePolicyFrom(const Napi::Object& policy) {
  FrameWatchPolicy out;
  const Napi::Object key = ObjectIn(policy, "key");
  out.key = {UsIn(key, "everyUs"), IntIn(key, "burst")};
  out.keys = static_cast<size_t>(IntIn(policy, "keys"));
  out.turn = IntIn(policy, "turn");
  out.rest = UsIn(policy, "restUs");
  out.rest_flooded = UsIn(policy, "restFloodedUs");
  return out;
}

Napi::Array FramesTo(Napi::Env env, const std::vector<HeardFrame>& frames) {
  Napi::Array out = Napi::Array::New(env, frames.size());
  for (uint32_t i = 0; i < frames.size(); ++i) {
    const HeardFrame& frame = frames[i];
    Napi::Object one = Napi::Object::New(env);
    one.Set("watch", frame.watch);
    Set(&one, "at", frame.at);
    Set(&one, "count", static_cast<Us>(frame.count));
    one.Set("bytes", BytesTo(env, frame.bytes));
    out.Set(i, one);
  }
  return out;
}

}  // namespace

Napi::Function FrameWatchObject::Define(Napi::Env env) {
  return DefineClass(env, "Frames",
                     {InstanceMethod<&FrameWatchObject::OpenSocket>("open"),
                      InstanceMethod<&FrameWatchObject::SetFilter>("setFilter"),
                      InstanceMethod<&FrameWatchObject::CloseSocket>("close"),
                      InstanceMethod<&FrameWatchObject::ReadCounters>("counters"),
                      InstanceMethod<&FrameWatchObject::StopAll>("stop")});
}

FrameWatchObject::FrameWatchObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<FrameWatchObject>(info),
      env_(info.Env()),
      policy_(FramePolicyFrom(info[0].As<Napi::Object>())) {
  notifier_ = Notifier::New(env_, info[1].As<Napi::Function>(), "vipd frames", 0, 1, this);
  notifier_.Unref(env_);
  napi_add_env_cleanup_hook(env_, AtExit, this);
  ended_ = false;
  Ref();
}

FrameWatchObject::~FrameWatchObject() { End(); }

void FrameWatchObject::AtExit(void* self) { static_cast<FrameWatchObject*>(self)->End(); }

void FrameWatchObject::End() {
  if (std::exchange(ended_, true)) return;
  if (thread_ != nullptr) thread_->Stop();
  thread_ = nullptr;
  sockets_.clear();
  notifier_.Abort();
}

void FrameWatchObject::StopAll(const Napi::CallbackInfo&) {
  if (ended_) return;
  End();
  napi_remove_env_cleanup_hook(env_, AtExit, this);
  Unref();
}

void FrameWatchObject::CallJs(Napi::Env env, Napi::Function callback, FrameWatchObject* self,
                              void*) {
  if (env == nullptr || self->ended_ || self->thread_ == nullptr) return;
  const std::vector<HeardFrame> frames = self->thread_->Take();
  if (frames.empty()) return;
  CallbackIntoJs(env, [&] { callback.Call({FramesTo(env, frames)}); });
}

void FrameWatchObject::StartThread() {
  if (thread_ != nullptr) return;
  auto thread = std::make_unique<FrameWatch>(policy_, [this] { notifier_.NonBlockingCall(); });
  const auto failure = reserve_.With([&] { return thread->Open(); });
  if (failure.has_value()) throw Failed(env_, failure->call, failure->error);
  thread->Start();
  thread_ = std::move(thread);
}

void FrameWatchObject::OpenSocket(const Napi::CallbackInfo& info) {
  const auto spec = info[0].As<Napi::Object>();
  const FrameWatchId id = IntIn(spec, "watch");
  if (ended_ || sockets_.contains(id)) throw Napi::Error::New(env_, "no such watch to open");
  auto opened = reserve_.With([&] {
    const bool sent = spec.Get("direction").As<Napi::String>().Utf8Value() == "sent";
    return OpenFrameReceiver({IntIn(spec, "ifindex"), IntIn(spec, "protocol"), sent},
                             BytesFrom(spec.Get("filter")));
  });
  if (!opened.ok()) throw Failed(env_, opened.failed_call, opened.error);
  StartThread();
  const Opened socket = {std::make_shared<UniqueFd>(std::move(opened.fd)),
                         std::make_shared<FrameWatchCounters>()};
  sockets_[id] = socket;
  thread_->Add(id, socket.fd, KeyFrom(spec), socket.counters);
}

void FrameWatchObject::SetFilter(const Napi::CallbackInfo& info) {
  const auto found = sockets_.find(WatchAt(info));
  if (ended_ || found == sockets_.end()) return;
  const char* call = AttachFilter(found->second.fd->get(), BytesFrom(info[1]));
  if (call != nullptr) throw Failed(env_, call, errno);
}

void FrameWatchObject::CloseSocket(const Napi::CallbackInfo& info) {
  const auto found = sockets_.find(WatchAt(info));
  if (ended_ || found == sockets_.end()) return;
  thread_->Remove(found->first);
  sockets_.erase(found);
  if (!sockets_.empty()) return;
  thread_->Stop();
  thread_ = nullptr;
}

Napi::Value FrameWatchObject::ReadCounters(const Napi::CallbackInfo& info) {
  const auto found = sockets_.find(WatchAt(info));
  if (found == sockets_.end()) throw Napi::Error::New(env_, "no such watch");
  Napi::Object out = Napi::Object::New(info.Env());
  Set(&out, "heard", static_cast<Us>(found->second.counters->heard.load()));
  Set(&out, "told", static_cast<Us>(found->second.counters->told.load()));
  return out;
}

}  // namespace vipd
