#include "host/children.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace vipd {

namespace {

// A thread that waits and reaps; its stack may be locked in memory.
constexpr std::size_t kStackBytes = 64 * 1'024;
constexpr int kEndsPerWake = 64;
// A look takes microseconds each; what is left waits for the next.
constexpr int kOrphansPerLook = 1'000;

struct Child {
  pid_t pid = 0;
  int owner = -1;
};

struct Known {
  std::mutex mutex;
  // By the descriptor that tells the end.
  std::map<int, Child> children;
  // Of those that were adopted; -1 until there is one.
  int adopted = -1;
};
// Never destroyed: threads use it until the process is gone.
Known& TheKnown() {
  static auto* const known = new Known();
  return *known;
}

void* WaitForAdopted(void*) {
  pthread_setname_np(pthread_self(), "vipd-reaper");
  const int set = TheKnown().adopted;
  while (true) {
    std::array<epoll_event, kEndsPerWake> events;
    const int count = epoll_wait(set, events.data(), events.size(), -1);
    for (int i = 0; i < count; i++) {
      const int pidfd = events[i].data.fd;
      siginfo_t ended = {};
      waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &ended, WEXITED | WNOHANG);
      close(pidfd);
    }
    if (count < 0 && errno != EINTR) return nullptr;
  }
}

// Errors: there is no descriptor or no thread. Then its zombie stays, as long as this process.
void StartReaper(Known* known) {
  known->adopted = epoll_create1(EPOLL_CLOEXEC);
  if (known->adopted < 0) return;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t id;
  const int error = pthread_create(&id, &attributes, WaitForAdopted, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error == 0) return;
  close(known->adopted);
  known->adopted = -1;
}

template <typename Which>
void Adopt(Which which) {
  Known& known = TheKnown();
  const std::lock_guard lock(known.mutex);
  for (auto at = known.children.begin(); at != known.children.end();) {
    if (!which(at->second)) {
      ++at;
      continue;
    }
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.fd = at->first;
    if (known.adopted < 0) StartReaper(&known);
    epoll_ctl(known.adopted, EPOLL_CTL_ADD, at->first, &event);
    at = known.children.erase(at);
  }
}

}  // namespace

void AddChild(pid_t pid, int pidfd, int owner) {
  Known& known = TheKnown();
  const std::lock_guard lock(known.mutex);
  known.children[pidfd] = {pid, owner};
}

bool TakeChild(int pidfd, int owner) {
  Known& known = TheKnown();
  const std::lock_guard lock(known.mutex);
  const auto found = known.children.find(pidfd);
  // The number may be another program's by now.
  if (found == known.children.end() || found->second.owner != owner) return false;
  known.children.erase(found);
  return true;
}

void AdoptChildrenOf(int owner) {
  Adopt([owner](const Child& child) { return child.owner == owner; });
}

void AdoptChild(pid_t pid) {
  Adopt([pid](const Child& child) { return child.pid == pid; });
}

int ReapOrphans() {
  int reaped = 0;
  while (reaped < kOrphansPerLook) {
    siginfo_t ended = {};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | __WNOTHREAD) < 0 || ended.si_pid == 0) break;
    ++reaped;
  }
  return reaped;
}

}  // namespace vipd
