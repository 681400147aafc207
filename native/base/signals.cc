#include "base/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace vipd {

namespace {

// The highest signal of Linux on every machine that Node.js runs on.
constexpr int kSignals = 64;

// As the kernel takes it: the C library keeps the first real-time signals to itself (32, 33) and
// refuses to say anything about them, but to a process they are as deadly as the others.
struct KernelAction {
  void (*handler)(int) = SIG_DFL;
  unsigned long flags = 0;
  void (*restorer)() = nullptr;
  uint64_t mask = 0;
};

// Errors: of KILL and STOP alone, which stay as they are.
KernelAction ActionOf(int signal) {
  KernelAction action;
  syscall(SYS_rt_sigaction, signal, nullptr, &action, sizeof action.mask);
  return action;
}

void Set(int signal, void (*handler)(int)) {
  KernelAction action;
  action.handler = handler;
  syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask);
}

bool KernelsOwn(int signal) {
  switch (signal) {
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGSYS:
      return true;
    default:
      return false;
  }
}

bool Stops(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGQUIT; }

// What these do by default harms nothing; an ignored CHLD would hide how children ended.
bool Harmless(int signal) {
  return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH ||
         signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

void DoNothing(int) {}

// The end that is written to. A full pipe loses a signal: so many are waiting already.
int watched = -1;

void Report(int signal) {
  const int before = errno;
  const auto number = static_cast<unsigned char>(signal);
  [[maybe_unused]] const ssize_t n = write(watched, &number, sizeof number);
  errno = before;
}

bool Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  return sigaction(signal, &action, nullptr) == 0;
}

}  // namespace

void SurviveSignals() {
  for (int signal = 1; signal <= kSignals; ++signal) {
    if (KernelsOwn(signal) || Stops(signal) || Harmless(signal)) continue;
    if (ActionOf(signal).handler != SIG_DFL) continue;
    // Not ignored: executing a program resets a handler, and hands on what is ignored.
    if (!Handle(signal, DoNothing)) Set(signal, SIG_IGN);
  }
}

int WatchSignals(const std::vector<int>& signals) {
  int ends[2];
  if (watched >= 0) return -EALREADY;
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
  watched = ends[1];
  for (const int signal : signals) Handle(signal, Report);
  return ends[0];
}

void IgnoreSignals() {
  for (int signal = 1; signal <= kSignals; ++signal)
    if (!KernelsOwn(signal) && signal != SIGCHLD) Set(signal, SIG_IGN);
}

void DefaultSignals() {
  for (int signal = 1; signal <= kSignals; ++signal) Set(signal, SIG_DFL);
}

}  // namespace vipd
