// How this program is started once more, to take the place of this process (docs/upgrading.md).
#pragma once

#include <sys/types.h>

#include <vector>

namespace vipd {

// The first descriptor of those that a successor is given; the others follow.
constexpr int kSuccessorDescriptors = 3;

struct Successor {
  const char* file = nullptr;
  char* const* argv = nullptr;
  char* const* env = nullptr;
  std::vector<int> descriptors;
};

// It has this process's standard error, session, directory, capabilities and limits, every signal
// at its default, and ordinary scheduling. Its end is waited for by a thread, so that it leaves no
// zombie. The process, or the negative errno.
pid_t StartSuccessor(const Successor& successor);

// SIGKILL to that successor, and to no process that has only got its number since.
void EndSuccessor(pid_t pid);

}  // namespace vipd
