#include "host/surroundings.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include <cerrno>
#include <cstdlib>

#include "base/sockets.h"

namespace vipd {

int EnterNetwork(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return errno;
  return setns(fd.get(), CLONE_NEWNET) == 0 ? 0 : errno;
}

int UseProcessors(const std::vector<int>& processors) {
  // As many as the keyword names: cpu_set_t ends at 1024.
  constexpr int kProcessorsMax = 4096;
  cpu_set_t* set = CPU_ALLOC(kProcessorsMax);
  if (set == nullptr) return ENOMEM;
  const size_t size = CPU_ALLOC_SIZE(kProcessorsMax);
  CPU_ZERO_S(size, set);
  for (const int processor : processors) CPU_SET_S(processor, size, set);
  int error = 0;
  // Node has started threads of its own by now; one may end meanwhile.
  if (DIR* tasks = opendir("/proc/self/task"); tasks != nullptr) {
    while (const dirent* task = readdir(tasks)) {
      const pid_t thread = atoi(task->d_name);
      if (thread > 0 && sched_setaffinity(thread, size, set) != 0 && errno != ESRCH) error = errno;
    }
    closedir(tasks);
  } else {
    error = errno;
  }
  CPU_FREE(set);
  return error;
}

int64_t TickUs() {
  timespec tick{};
  return clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0 ? tick.tv_nsec / 1'000 : 0;
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
