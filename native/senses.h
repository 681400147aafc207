// What a check can hear beside Node's sockets: echo replies, the kernel's news of processes, and
// whether a connection is accepted, for a fraction of what a socket of Node costs.
#pragma once

#include <napi.h>

namespace vipd {

// Exports openEcho(family, onMessage), sendEcho(fd, address, bytes) and openProcessNews(onNews).
// The first and the last return an object with `fd` and `close()`, and throw as `Failed` says.
void DefineSenses(Napi::Env env, Napi::Object exports);

}  // namespace vipd
