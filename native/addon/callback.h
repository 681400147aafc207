// How C++ calls into JavaScript when no JavaScript is below it on the stack. Node only warns
// (DEP0168) about an exception that leaves such a callback, and what was to be done is lost without
// a trace. Here it is an uncaught exception, as from a timer: the process ends, and the warden
// gives up what it led.
#pragma once

#include <napi.h>

namespace vipd {

// Runs `call` in a handle scope. What JavaScript throws in it becomes an uncaught exception. An
// environment that is being ended runs no JavaScript: then nothing happens.
template <typename Call>
void CallbackIntoJs(napi_env env, Call call) {
  const Napi::HandleScope scope(env);
  napi_value thrown = nullptr;
  try {
    call();
  } catch (const Napi::Error& error) {
    thrown = error.Value();
  }
  bool pending = false;
  if (thrown == nullptr && napi_is_exception_pending(env, &pending) == napi_ok && pending)
    napi_get_and_clear_last_exception(env, &thrown);
  if (thrown != nullptr) napi_fatal_exception(env, thrown);
}

}  // namespace vipd
