#include "watched_socket.h"

#include "convert.h"

namespace vipd {

WatchedSocket::WatchedSocket(Napi::Env env, UniqueFd fd, const Napi::Function& callback,
                             Drain drain)
    : env_(env),
      fd_(std::move(fd)),
      callback_(Napi::Persistent(callback)),
      context_(env, "vipd"),
      drain_(drain) {}

Napi::Object WatchedSocket::Open(Napi::Env env, UniqueFd fd, const Napi::Function& callback,
                                 Drain drain) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok)
    throw Failed(env, "napi_get_uv_event_loop", EINVAL);
  const int number = fd.get();
  auto* self = new WatchedSocket(env, std::move(fd), callback, drain);
  const int failure = uv_poll_init(loop, &self->poll_, number);
  if (failure != 0) {
    delete self;
    throw Failed(env, "uv_poll_init", -failure);
  }
  self->poll_.data = self;
  uv_poll_start(&self->poll_, UV_READABLE, Readable);
  // A check that waits has a deadline; the socket alone keeps no thread alive.
  uv_unref(reinterpret_cast<uv_handle_t*>(&self->poll_));
  napi_add_async_cleanup_hook(
      env,
      [](napi_async_cleanup_hook_handle, void* data) {
        static_cast<WatchedSocket*>(data)->Close();
      },
      self, &self->hook_);

  Napi::Object object = Napi::Object::New(env);
  object.Set("fd", Napi::Number::New(env, number));
  object.Set("close",
             Napi::Function::New(env, [self](const Napi::CallbackInfo&) { self->Close(); }));
  object.AddFinalizer([](Napi::Env, WatchedSocket* socket) { socket->Release(); }, self);
  return object;
}

void WatchedSocket::Readable(uv_poll_t* poll, int, int) {
  auto* self = static_cast<WatchedSocket*>(poll->data);
  const Napi::HandleScope scope(self->env_);
  try {
    self->Tell();
  } catch (const Napi::Error& error) {
    // A thread that is being ended runs no JavaScript any more; else the callback has thrown.
    if (!error.IsEmpty() && !error.Value().IsEmpty())
      napi_fatal_exception(self->env_, error.Value());
  }
}

void WatchedSocket::Tell() {
  const Napi::Value news = drain_(env_, fd_.get());
  if (!news.IsEmpty()) callback_.MakeCallback(env_.Global(), {news}, context_);
}

void WatchedSocket::Close() {
  if (closing_) return;
  closing_ = true;
  uv_poll_stop(&poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* self = static_cast<WatchedSocket*>(handle->data);
    if (self->hook_ != nullptr) napi_remove_async_cleanup_hook(self->hook_);
    self->hook_ = nullptr;
    self->Release();
  });
}

void WatchedSocket::Release() {
  if (--users_ == 0) delete this;
}

}  // namespace vipd
