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
// at its default, and ordinary scheduling. Its parent is from the start the one that it will have
// when this process has ended: process 1, or a subreaper as systemd --user is. systemd waits in a
// stop for the end of a main process only if that was its child when it was told of it, and kills
// it after ExecStopPost= otherwise. The process, or the negative errno.
pid_t StartSuccessor(const Successor& successor);

// SIGKILL to that successor, and to no process that has only got its number since.
void EndSuccessor(pid_t pid);

// That signal to it alone, as above; 0: none. False: it has ended.
bool SignalSuccessor(pid_t pid, int signal);

}  // namespace vipd
