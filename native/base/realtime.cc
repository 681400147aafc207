#include "base/realtime.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace vipd {

namespace {

// The threads that took it; XCPU is the process's and may be
// handled by another, and which of them has reached its bound is not said.
std::array<std::atomic<pid_t>, kRealtimeThreads> holders{};
std::atomic<bool> lost{false};
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

std::string Refused(const char* what, int error) {
  return std::string(what) + ": " + strerror(error);
}

// XCPU comes from the kernel for this limit and for one of processor time (RLIMIT_CPU), and from
// other processes; only the first is meant.
void Lower(int, siginfo_t* info, void*) {
  if (info->si_code != SI_KERNEL) return;
  const int error = errno;
  const sched_param ordinary{};
  // Without the flag an unprivileged thread that had it is refused.
  for (const std::atomic<pid_t>& holder : holders)
    if (holder != 0 && syscall(SYS_sched_setscheduler, holder.load(),
                               SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary) == 0)
      lost = true;
  errno = error;
}

void Bound(RealtimeBound bound, std::vector<std::string>* notes) {
  struct sigaction action = {};
  action.sa_sigaction = Lower;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGXCPU, &action, nullptr);
  // A thread that keeps the only core to itself must be able to handle it.
  sigset_t own;
  sigemptyset(&own);
  sigaddset(&own, SIGXCPU);
  pthread_sigmask(SIG_UNBLOCK, &own, nullptr);

  rlimit limit{};
  getrlimit(RLIMIT_RTTIME, &limit);
  const auto soft = static_cast<rlim_t>(bound.run);
  const auto hard = static_cast<rlim_t>(bound.run + bound.grace);
  // A hard limit that was there stays: raising it takes another privilege.
  limit = {std::min(soft, limit.rlim_max), std::min(hard, limit.rlim_max)};
  if (setrlimit(RLIMIT_RTTIME, &limit) < 0)
    notes->push_back(Refused("RLIMIT_RTTIME is not set", errno));
}

}  // namespace

bool TakeRealtime(RealtimeThread holder, int priority, RealtimeBound bound,
                  std::vector<std::string>* notes) {
  sched_param param{};
  param.sched_priority = priority;
  const int error = pthread_setschedparam(pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &param);
  if (error != 0) {
    notes->push_back(Refused("no real-time scheduling", error));
    return false;
  }
  holders[holder] = static_cast<pid_t>(syscall(SYS_gettid));
  if (bound.run > 0) Bound(bound, notes);
  return true;
}

bool RealtimeLost() { return lost.load(std::memory_order_relaxed) && lost.exchange(false); }

}  // namespace vipd
