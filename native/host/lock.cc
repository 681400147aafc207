#include "host/lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/sockets.h"

namespace vipd {

int LockForLife(const std::string& path) {
  // Not inherited: a program that we start must not keep the lock after our end.
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return errno;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
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
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof address.sun_path) return EINVAL;
  memcpy(address.sun_path + 1, name.data(), name.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  // Nothing is read from it: what another process sends fills a buffer and is refused then.
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0) return 0;
  const int error = errno;
  close(fd);
  return error;
}

}  // namespace vipd
