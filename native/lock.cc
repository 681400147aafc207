#include "lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

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

}  // namespace vipd
