// Programs that checks and notifications run, at the edge to JavaScript.
#pragma once

#include <napi.h>

namespace vipd {

// Exports openPrograms(onEnded) and startProgram(fd, file, argv, env, output, identity,
// noNewPrivs). The first returns an object with `fd` and `close()`, and throws as `Failed` says.
void DefinePrograms(Napi::Env env, Napi::Object exports);

}  // namespace vipd
