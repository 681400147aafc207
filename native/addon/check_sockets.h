// What a check can hear beside Node's sockets: echo replies, the kernel's news of processes, and
// whether a connection is accepted, for a fraction of what a socket of Node costs.
#pragma once

#include <napi.h>

namespace vipd {

// Exports openEcho(family, onMessages), sendEcho(fd, address, bytes), openDial(onDecided), dial(fd,
// address, port), hangUp(socket) and openProcessNews(onNews). Each open… returns an object with
// `fd` and `close()`, and throws as `Failed` says.
void DefineSenses(Napi::Env env, Napi::Object exports);

}  // namespace vipd
