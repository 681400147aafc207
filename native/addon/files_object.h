// Files of the host, at the edge to JavaScript.
#pragma once

#include <napi.h>

namespace vipd {

// Exports makeFifo(path, owner | null), removeFifo(path, fd), makePipe(path, mode) and
// writeFile(path, text, overwrite).
void DefineFiles(Napi::Env env, Napi::Object exports);

}  // namespace vipd
