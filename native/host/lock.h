// What a process holds until it ends, however it ends: a lock (flock(2)), a name.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace vipd {

// Creates the file where it is missing. 0, or the errno: EWOULDBLOCK when another process holds it.
// Held from then on: only the end of this process unlocks it.
int LockForLife(const std::string& path);

// What of the above this process holds under that path, or name: a descriptor that a successor may
// be started with. -1: nothing.
int HeldLock(const std::string& path);
int HeldName(const std::string& name);

// The descriptor that this process was started with holds that lock (or name), and is its own from
// now on. False: it does not.
bool InheritLock(const std::string& path, int fd);
bool InheritName(const std::string& name, int fd);

// The process with a record lock (fcntl(2)) on any part of the file, be it shared. Nothing: there
// is none, or no such file. 0: it is in a PID namespace that cannot be seen from here.
std::optional<pid_t> LockHolder(const std::string& path);

// Kills (SIGKILL) that holder, and no process that has only got its number since. 0, also when it
// has gone, or the errno.
int KillLockHolder(const std::string& path, pid_t holder);

// Binds an abstract AF_UNIX name of this network namespace (unix(7)), for as long as the process
// lives. 0, or the errno: EADDRINUSE when another process has it.
int HoldName(const std::string& name);

}  // namespace vipd
