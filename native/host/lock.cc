#include "host/lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>

#include "base/sockets.h"

namespace vipd {

namespace {

// By path and by name; never destroyed, because nothing of it is given up.
struct Held {
  std::mutex mutex;
  std::map<std::string, int> locks;
  std::map<std::string, int> names;
};
Held& TheHeld() {
  static auto* const held = new Held();
  return *held;
}

void Hold(std::map<std::string, int> Held::*kind, const std::string& what, int fd) {
  const std::lock_guard lock(TheHeld().mutex);
  (TheHeld().*kind)[what] = fd;
}

int Find(std::map<std::string, int> Held::*kind, const std::string& what) {
  const std::lock_guard lock(TheHeld().mutex);
  const auto found = (TheHeld().*kind).find(what);
  return found == (TheHeld().*kind).end() ? -1 : found->second;
}

socklen_t AddressOf(const std::string& name, sockaddr_un* address) {
  *address = {};
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path + 1, name.data(), name.size());
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
}

}  // namespace

int HeldLock(const std::string& path) { return Find(&Held::locks, path); }
int HeldName(const std::string& name) { return Find(&Held::names, name); }

// A lock belongs to what was opened, so it is ours already: taking it again shows that.
bool InheritLock(const std::string& path, int fd) {
  struct stat ours = {};
  struct stat there = {};
  if (fstat(fd, &ours) < 0 || lstat(path.c_str(), &there) < 0) return false;
  if (ours.st_dev != there.st_dev || ours.st_ino != there.st_ino) return false;
  if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return false;
  Hold(&Held::locks, path, fd);
  return true;
}

bool InheritName(const std::string& name, int fd) {
  sockaddr_un wanted;
  sockaddr_un found{};
  socklen_t length = sizeof found;
  if (name.size() >= sizeof wanted.sun_path) return false;
  const socklen_t expected = AddressOf(name, &wanted);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&found), &length) < 0) return false;
  if (length != expected || memcmp(&found, &wanted, length) != 0) return false;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return false;
  Hold(&Held::names, name, fd);
  return true;
}

int LockForLife(const std::string& path) {
  // Not inherited: a program that we start must not keep the lock after our end.
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return errno;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    Hold(&Held::locks, path, fd);
    return 0;
  }
  const int error = errno;
  close(fd);
  return error;
}

std::optional<pid_t> LockHolder(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (fd.get() < 0 || fcntl(fd.get(), F_GETLK, &lock) < 0) return std::nullopt;
  if (lock.l_type == F_UNLCK) return std::nullopt;
  return lock.l_pid;
}

// That it holds the lock after it was opened shows that the descriptor is the holder's.
int KillLockHolder(const std::string& path, pid_t holder) {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, holder, 0)));
  if (process.get() < 0) return errno == ESRCH ? 0 : errno;
  if (LockHolder(path) != holder) return 0;
  const long sent = syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  return sent == 0 || errno == ESRCH ? 0 : errno;
}

int HoldName(const std::string& name) {
  sockaddr_un address{};
  if (name.empty() || name.size() >= sizeof address.sun_path) return EINVAL;
  const socklen_t length = AddressOf(name, &address);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  // Nothing is read from it: what another process sends fills a buffer and is refused then.
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0) {
    Hold(&Held::names, name, fd);
    return 0;
  }
  const int error = errno;
  close(fd);
  return error;
}

}  // namespace vipd
