// Threads that last as long as the process, for what must not end with the thread that asks for it.
#pragma once

#include <functional>

namespace vipd {

// Runs `task` on such a thread, with all signals blocked, and waits for it; tasks of several
// threads run at once. Returns 0, or the errno when there is no thread to be had. There are as many
// of them as tasks ever ran at once.
int OnLastingThread(const std::function<void()>& task);

}  // namespace vipd
