// What a check can hear beside ordinary sockets: echo replies, and the kernel's news of processes.
#pragma once

#include <napi.h>

namespace vipd {

// Exports openEcho(family, onMessage), sendEcho(fd, address, bytes) and openProcessNews(onNews).
// The first and the last return an object with `fd` and `close()`, and throw as `Failed` says.
void DefineSenses(Napi::Env env, Napi::Object exports);

}  // namespace vipd
