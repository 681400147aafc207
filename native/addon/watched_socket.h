// A socket that the event loop of one JavaScript thread watches: for the checks, which run in
// worker threads. What arrives goes to a callback; nothing is interpreted here.
#pragma once

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <span>

#include "base/sockets.h"

namespace vipd {

// Reads what lies in the socket; `news` is what JavaScript is to be called with. False when there
// is nothing, or the environment is being ended: another thread may do that at any moment, so
// nothing on this way may throw.
using Drain = bool (*)(napi_env env, int fd, napi_value* news);
// The socket is about to be closed, its thread may be gone.
using Closing = void (*)(int fd);

// An Int32Array.
bool NumbersTo(napi_env env, std::span<const std::int32_t> numbers, napi_value* out);

// A set of descriptors that is watched as one.
UniqueFd EpollSet(Napi::Env env);

// Lives until it is closed or its thread ends, whichever comes first.
class WatchedSocket {
 public:
  static Napi::Object Open(Napi::Env env, UniqueFd fd, const Napi::Function& callback, Drain drain,
                           Closing closing = nullptr);

 private:
  WatchedSocket(Napi::Env env, UniqueFd fd, const Napi::Function& callback, Drain drain,
                Closing closing);

  static void Readable(uv_poll_t* poll, int status, int events);
  void Close();

  Napi::Env env_;
  UniqueFd fd_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  Drain drain_;
  Closing before_close_;
  uv_poll_t poll_ = {};
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool closing_ = false;
  // The JavaScript object and the loop's handle each need it.
  int users_ = 2;

  void Release();
};

}  // namespace vipd
