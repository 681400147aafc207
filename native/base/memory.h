// Keeps what the engine's thread touches in memory: all code and its data, the heap as it is now,
// and the thread's own stack. Not mlockall: the JavaScript engine gives pages back with calls that
// fail on locked memory, and takes that for a reason to abort.
#pragma once

#include <string>
#include <vector>

namespace vipd {

// To be called on the engine's thread. False, with a sentence in `notes`, when it is not permitted.
bool LockEngineMemory(std::vector<std::string>* notes);

}  // namespace vipd
