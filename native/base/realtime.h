// Real-time scheduling of a thread, bounded: one that runs wild would keep the machine's other work
// from its core. The kernel counts how long it runs without waiting (RLIMIT_RTTIME) and sends XCPU
// when that is too long; the thread then goes on with ordinary scheduling. KILL, which the kernel
// sends at the hard limit, is left to a thread that could not be lowered.
#pragma once

#include <string>
#include <vector>

#include "base/plan.h"

namespace vipd {

enum RealtimeThread : uint8_t { kEngineThread, kNetlinkThread, kBfdThread };
// As many as the enumeration has.
constexpr size_t kRealtimeThreads = 3;

// How long a thread may run without waiting, 0 for no bound, and how much longer it then lives
// unless it waits meanwhile; the limits themselves are the whole process's.
struct RealtimeBound {
  Us run = 0;
  Us grace = 0;
};

// For the thread that it is about. False: not permitted. A sentence in `notes` for whatever
// was refused.
bool TakeRealtime(RealtimeThread holder, int priority, RealtimeBound bound,
                  std::vector<std::string>* notes);

// Whether a thread of this process has reached its bound since the last call. Costs no system call.
bool RealtimeLost();

}  // namespace vipd
