#include "host/spawn.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "base/lasting_thread.h"
#include "base/signals.h"

namespace vipd {
namespace {

// For a child that shares our memory until it executes; it only makes system calls.
constexpr std::size_t kStackBytes = 64 * 1'024;
// Copied before the fork into fixed room.
constexpr int kGroupsMax = 256;
// Where the kernel cannot close a range of them (before 5.9).
constexpr rlim_t kDescriptorsMax = 65'536;

struct Start {
  const Program* program = nullptr;
  pid_t parent = 0;
  // Written by the child, read when it has executed or given up.
  int error = 0;
};

// --- in the child ---
//
// It runs in the memory of the parent, which waits: nothing here may change what is the parent's.
// The C library would change the identity of every thread of the process that shares the memory, so
// the kernel is asked itself, for this one alone.

void UsualSignals() {
  DefaultSignals();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool Assign(int from, int to) {
  return from == to ? fcntl(to, F_SETFD, 0) == 0 : dup2(from, to) >= 0;
}

bool Redirect(int output) {
  const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0) return false;
  const int out = output < 0 ? nowhere : output;
  return Assign(out, STDOUT_FILENO) && Assign(out, STDERR_FILENO) && Assign(nowhere, STDIN_FILENO);
}

// What our own parent left open for us is not for others.
void CloseOthers() {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0) return;
#endif
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto end = static_cast<int>(std::min(limit.rlim_cur, kDescriptorsMax));
  for (int fd = STDERR_FILENO + 1; fd < end; fd++) close(fd);
}

// The daemon may be real-time, preferred and spared by the OOM killer; what it starts is not. What
// is refused stays: that is more than the daemon has.
void UsualScheduling() {
  const sched_param usual = {};
  sched_setscheduler(0, SCHED_OTHER, &usual);
  setpriority(PRIO_PROCESS, 0, 0);
  const rlimit none = {};
  setrlimit(RLIMIT_RTPRIO, &none);
  setrlimit(RLIMIT_NICE, &none);
  rlimit unbounded = {RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_RTTIME, &unbounded) < 0 && getrlimit(RLIMIT_RTTIME, &unbounded) == 0) {
    unbounded.rlim_cur = unbounded.rlim_max;
    setrlimit(RLIMIT_RTTIME, &unbounded);
  }
  const int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score < 0) return;
  [[maybe_unused]] const ssize_t written = write(score, "0", 1);
  close(score);
}

bool HasGroups(const std::vector<gid_t>& wanted) {
  std::array<gid_t, kGroupsMax> now = {};
  const long count = syscall(SYS_getgroups, now.size(), now.data());
  if (count < 0 || static_cast<std::size_t>(count) != wanted.size()) return false;
  return std::is_permutation(wanted.begin(), wanted.end(), now.begin(), now.begin() + count);
}

// An identity that is ours already needs no capability.
bool Become(const Identity& identity) {
  std::array<uid_t, 3> uids = {};
  std::array<gid_t, 3> gids = {};
  if (syscall(SYS_getresuid, &uids[0], &uids[1], &uids[2]) < 0 ||
      syscall(SYS_getresgid, &gids[0], &gids[1], &gids[2]) < 0)
    return false;
  const bool user = std::count(uids.begin(), uids.end(), identity.uid) == 3;
  const bool group = std::count(gids.begin(), gids.end(), identity.gid) == 3;
  const bool ours = user && group;
  if (!(ours && (!identity.groups || HasGroups(*identity.groups)))) {
    const std::size_t count = identity.groups ? identity.groups->size() : 0;
    if (syscall(SYS_setgroups, count, count == 0 ? nullptr : identity.groups->data()) < 0)
      return false;
  }
  return (group || syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid) == 0) &&
         (user || syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid) == 0);
}

// The bounding set bounds what set-user-ID programs and file capabilities give, so it goes with
// those, and not by default: without it a program like ping does not even start, and sudo is of no
// use. It needs CAP_SETPCAP; where we lack that, what stays in the set is of no use anyhow.
bool WithoutNewPrivileges(const Identity* identity) {
  const auto uid = identity == nullptr ? static_cast<uid_t>(syscall(SYS_geteuid)) : identity->uid;
  for (unsigned long one = 0; uid != 0 && prctl(PR_CAPBSET_READ, one, 0, 0, 0) >= 0; one++)
    prctl(PR_CAPBSET_DROP, one, 0, 0, 0);
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

// Root's keeps what this process may do, except by way of a program that is not root's.
bool DropCapabilities() {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return false;
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets = {};
  if (syscall(SYS_capget, &header, sets.data()) < 0) return false;
  const bool root = syscall(SYS_geteuid) == 0;
  for (__user_cap_data_struct& set : sets) {
    if (!root) set = {};
    set.inheritable = 0;
  }
  return syscall(SYS_capset, &header, sets.data()) == 0;
}

// A change of identity or capabilities clears it, so it comes last; our end before it is seen by
// who the parent is.
bool EndWith(pid_t parent) {
  return prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0 && getppid() == parent;
}

int RunChild(void* data) {
  auto* start = static_cast<Start*>(data);
  const Program& program = *start->program;
  UsualSignals();
  UsualScheduling();
  // A group of its own, to be killed as a whole.
  if (setsid() >= 0 && chdir("/") == 0 && Redirect(program.output)) {
    CloseOthers();
    if ((!program.no_new_privileges || WithoutNewPrivileges(program.identity)) &&
        (program.identity == nullptr || Become(*program.identity)) && DropCapabilities() &&
        EndWith(start->parent))
      execve(program.file, program.argv, program.env);
  }
  start->error = errno;
  _exit(127);
}

// --- in the thread that starts it ---

// With all signals blocked: handlers are the child's own copy, and must be gone before one comes.
Spawned Clone(const Program& program) {
  // A new one for each child: the last one left its own by execve, with the marks of a sanitizer.
  const std::unique_ptr<std::byte[]> stack(new (std::nothrow) std::byte[kStackBytes]);
  if (stack == nullptr) return {-ENOMEM, -1};
  Start start;
  start.program = &program;
  start.parent = getpid();
  Spawned spawned;
  spawned.pid = clone(RunChild, stack.get() + kStackBytes,
                      CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &spawned.pidfd);
  if (spawned.pid < 0) return {-errno, -1};
  if (start.error == 0) return spawned;
  siginfo_t ended = {};
  waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(spawned.pidfd), &ended, WEXITED);
  close(spawned.pidfd);
  return {-start.error, -1};
}

}  // namespace

Spawned Spawn(const Program& program) {
  Spawned spawned;
  const int error = OnLastingThread([&] { spawned = Clone(program); });
  return error == 0 ? spawned : Spawned{-error, -1};
}

}  // namespace vipd
