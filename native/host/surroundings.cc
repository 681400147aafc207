#include "host/surroundings.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>

#include <cerrno>

#include "base/sockets.h"

namespace vipd {

int EnterNetwork(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return errno;
  return setns(fd.get(), CLONE_NEWNET) == 0 ? 0 : errno;
}

int AllowCores() {
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return errno;
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_CORE, &all) == 0) return 0;
  // Not ours to raise: as much as is allowed.
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(RLIMIT_CORE, &limit) == 0 ? 0 : errno;
}

}  // namespace vipd
