#include "host/successor.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/lasting_thread.h"
#include "base/posix_spawn.h"
#include "base/sockets.h"

namespace vipd {

namespace {

// Beyond all numbers that the descriptors get in the successor.
constexpr int kAside = 64;
// What posix_spawn needs of it; the successor itself gets a stack of its own.
constexpr std::size_t kStackBytes = 64 * 1'024;

// The last one, which is the only one that lives. The main thread's.
pid_t started_pid = -1;
UniqueFd started;

struct Start {
  const Successor* successor = nullptr;
  const PosixSpawn* spawn = nullptr;
  pid_t pid = -1;
  int pidfd = -1;
  int error = 0;
};

// --- in a process between the two, which has this one's memory and descriptors ---

// The number is the successor's as long as its parent has not ended.
int RunBetween(void* data) {
  auto* start = static_cast<Start*>(data);
  const Successor& it = *start->successor;
  start->error = start->spawn->Run(it.file, it.argv, it.env, &start->pid);
  if (start->error == 0) start->pidfd = static_cast<int>(syscall(SYS_pidfd_open, start->pid, 0));
  _exit(0);
}

// --- on a lasting thread, with all signals blocked ---

void SpawnNow(const std::vector<UniqueFd>& aside, Start* start) {
  PosixSpawn spawn;
  spawn.Give(STDOUT_FILENO, STDOUT_FILENO);
  for (size_t i = 0; i < aside.size(); ++i)
    spawn.Give(aside[i].get(), kSuccessorDescriptors + static_cast<int>(i));
  start->spawn = &spawn;
  std::vector<char> stack(kStackBytes);
  const pid_t between = clone(RunBetween, stack.data() + stack.size(),
                              CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, start);
  if (between < 0)
    start->error = errno;
  else
    while (waitpid(between, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

pid_t StartSuccessor(const Successor& it) {
  std::vector<UniqueFd> aside;
  for (const int fd : it.descriptors) {
    aside.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, kAside));
    if (aside.back().get() < 0) return -errno;
  }
  Start start;
  start.successor = &it;
  // A child of the main thread would be taken for an orphan (host/children.h).
  const int no_thread = OnLastingThread([&] { SpawnNow(aside, &start); });
  if (no_thread != 0) return -no_thread;
  if (start.error != 0) return -start.error;
  started_pid = start.pid;
  started = UniqueFd(start.pidfd);
  return start.pid;
}

void EndSuccessor(pid_t pid) {
  if (pid != started_pid) return;
  syscall(SYS_pidfd_send_signal, started.get(), SIGKILL, nullptr, 0);
  started = UniqueFd();
}

bool SignalSuccessor(pid_t pid, int signal) {
  if (pid != started_pid || started.get() < 0) return false;
  // One that has ended takes signals until its parent has asked for its status.
  pollfd ended{.fd = started.get(), .events = POLLIN, .revents = 0};
  if (poll(&ended, 1, 0) > 0) return false;
  return syscall(SYS_pidfd_send_signal, started.get(), signal, nullptr, 0) == 0;
}

}  // namespace vipd
