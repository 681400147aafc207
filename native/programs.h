// Programs that checks and notifications run. A fork would copy the tables of this process's memory
// and hold up every thread that touches it meanwhile; here the child shares the memory until it
// executes, and only the thread that starts it waits.
#pragma once

#include <napi.h>

namespace vipd {

// Exports openPrograms(onEnded) and startProgram(fd, file, argv, env, output, identity). The first
// returns an object with `fd` and `close()`, and throws as `Failed` says.
void DefinePrograms(Napi::Env env, Napi::Object exports);

}  // namespace vipd
