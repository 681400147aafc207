// How a program is started that is not ours: a check's, a notification's. A fork would copy the
// tables of this process's memory and hold up every thread that touches it meanwhile; here the
// child shares the memory until it executes, and only one thread waits.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

namespace vipd {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  // Nothing: none, or with the identity that this process has already, those that it has.
  std::optional<std::vector<gid_t>> groups;
};

struct Program {
  const char* file = nullptr;
  char* const* argv = nullptr;
  char* const* env = nullptr;
  // For standard output and error; -1: nowhere.
  int output = -1;
  // null: that of this process.
  const Identity* identity = nullptr;
  // Set-user-ID programs and file capabilities give it nothing.
  bool no_new_privileges = false;
};

struct Spawned {
  // Or the negative errno.
  pid_t pid = -1;
  // Becomes readable when the program has ended.
  int pidfd = -1;
};

// The program leads a session of its own, in /, with the usual signals, scheduling and OOM score
// and no descriptor but the standard ones. It has no capability unless it is root's, and root's has
// those of this process and no ambient or inheritable ones. It gets SIGTERM when this process ends:
// it is started by a thread that lasts as long as the process, because the kernel takes a thread's
// end for its parent's. The caller waits until it executes.
Spawned Spawn(const Program& program);

}  // namespace vipd
