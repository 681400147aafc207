// A socket that the event loop of one JavaScript thread watches: for the checks, which run in
// worker threads. What arrives goes to a callback; nothing is interpreted here.
#pragma once

#include <napi.h>
#include <uv.h>

#include "sockets.h"

namespace vipd {

// Reads what lies in the socket: what JavaScript is to be called with, or an empty value when there
// is nothing.
using Drain = Napi::Value (*)(Napi::Env env, int fd);

// Lives until it is closed or its thread ends, whichever comes first.
class WatchedSocket {
 public:
  static Napi::Object Open(Napi::Env env, UniqueFd fd, const Napi::Function& callback, Drain drain);

 private:
  WatchedSocket(Napi::Env env, UniqueFd fd, const Napi::Function& callback, Drain drain);

  static void Readable(uv_poll_t* poll, int status, int events);
  void Tell();
  void Close();

  Napi::Env env_;
  UniqueFd fd_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  Drain drain_;
  uv_poll_t poll_ = {};
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool closing_ = false;
  // The JavaScript object and the loop's handle each need it.
  int users_ = 2;

  void Release();
};

}  // namespace vipd
