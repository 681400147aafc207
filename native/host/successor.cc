#include "host/successor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/lasting_thread.h"
#include "base/posix_spawn.h"
#include "base/sockets.h"
#include "host/children.h"

namespace vipd {

namespace {

// Beyond all numbers that the descriptors get in the successor.
constexpr int kAside = 64;
// The registry of children knows programs by the epoll set that hears of their end; this one is
// given to the reaper at once.
constexpr int kNoOwner = -1;

// The last one, which is the only one that lives. The main thread's.
pid_t started_pid = -1;
UniqueFd started;

int SpawnNow(const Successor& it, const std::vector<UniqueFd>& aside, pid_t* pid) {
  PosixSpawn spawn;
  spawn.Give(STDOUT_FILENO, STDOUT_FILENO);
  for (size_t i = 0; i < aside.size(); ++i)
    spawn.Give(aside[i].get(), kSuccessorDescriptors + static_cast<int>(i));
  return spawn.Run(it.file, it.argv, it.env, pid);
}

}  // namespace

pid_t StartSuccessor(const Successor& it) {
  std::vector<UniqueFd> aside;
  for (const int fd : it.descriptors) {
    aside.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, kAside));
    if (aside.back().get() < 0) return -errno;
  }
  pid_t pid = -1;
  int error = 0;
  // A child of the main thread would be taken for an orphan (host/children.h).
  const int no_thread = OnLastingThread([&] { error = SpawnNow(it, aside, &pid); });
  if (no_thread != 0) return -no_thread;
  if (error != 0) return -error;
  const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return pid;
  started_pid = pid;
  started = UniqueFd(fcntl(pidfd, F_DUPFD_CLOEXEC, 0));
  AddChild(pid, pidfd, kNoOwner);
  AdoptChild(pid);
  return pid;
}

void EndSuccessor(pid_t pid) {
  if (pid != started_pid) return;
  syscall(SYS_pidfd_send_signal, started.get(), SIGKILL, nullptr, 0);
  started = UniqueFd();
}

}  // namespace vipd
