// Which signals may end a process of ours.
#pragma once

#include <csignal>
#include <vector>

namespace vipd {

// No signal ends this process from now on but INT, TERM, QUIT and KILL, and those with which the
// kernel reports what went wrong in the process itself (SEGV, ABRT, ...). Signals that have a
// handler or are ignored by now stay as they are.
void SurviveSignals();

// From now on each of these signals that arrives is an octet, its number, that can be read from the
// descriptor, without blocking; real-time signals too. Once in a process. A negative errno if there
// is no descriptor; a signal that cannot be caught is left as it is.
int WatchSignals(const std::vector<int>& signals);

// While it lives: a thread that is started now inherits a mask that blocks every signal, which are
// the main thread's.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

// For a process that executes nothing: ignores INT, TERM and QUIT too.
void IgnoreSignals();

// For a child before it executes: every signal does what it does by default, those too that the C
// library does not let out of its hands. Calls the kernel alone.
void DefaultSignals();

}  // namespace vipd
