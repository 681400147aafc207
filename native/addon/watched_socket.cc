#include "addon/watched_socket.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "addon/callback.h"
#include "addon/convert.h"

namespace vipd {

WatchedSocket::WatchedSocket(Napi::Env env, UniqueFd fd, const Napi::Function& callback,
                             Drain drain, Closing closing)
    : env_(env),
      fd_(std::move(fd)),
      callback_(Napi::Persistent(callback)),
      context_(env, "vipd"),
      drain_(drain),
      before_close_(closing) {}

Napi::Object WatchedSocket::Open(Napi::Env env, UniqueFd fd, const Napi::Function& callback,
                                 Drain drain, Closing closing) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok)
    throw Failed(env, "napi_get_uv_event_loop", EINVAL);
  const int number = fd.get();
  auto* self = new WatchedSocket(env, std::move(fd), callback, drain, closing);
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

void WatchedSocket::Readable(uv_poll_t* poll, int status, int) {
  auto* self = static_cast<WatchedSocket*>(poll->data);
  // libuv has stopped watching a socket that has an error to tell (an overrun, an unreachable
  // host). Reading tells it; what is only pending is taken away, and the watching goes on.
  if (status < 0 && !self->closing_) {
    uv_poll_start(poll, UV_READABLE, Readable);
    uv_unref(reinterpret_cast<uv_handle_t*>(poll));
  }
  CallbackIntoJs(self->env_, [self] {
    napi_value news = nullptr;
    if (!self->drain_(self->env_, self->fd_.get(), &news)) return;
    napi_make_callback(self->env_, self->context_, self->env_.Global(), self->callback_.Value(), 1,
                       &news, nullptr);
  });
}

void WatchedSocket::Close() {
  if (closing_) return;
  closing_ = true;
  uv_poll_stop(&poll_);
  if (before_close_ != nullptr) before_close_(fd_.get());
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

UniqueFd EpollSet(Napi::Env env) {
  UniqueFd fd(epoll_create1(EPOLL_CLOEXEC));
  if (fd.get() < 0) throw Failed(env, "epoll_create1", errno);
  return fd;
}

bool NumbersTo(napi_env env, std::span<const std::int32_t> numbers, napi_value* out) {
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_arraybuffer(env, numbers.size_bytes(), &data, &buffer) != napi_ok) return false;
  std::copy(numbers.begin(), numbers.end(), static_cast<std::int32_t*>(data));
  return napi_create_typedarray(env, napi_int32_array, numbers.size(), buffer, 0, out) == napi_ok;
}

}  // namespace vipd
