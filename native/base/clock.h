#pragma once

#include <time.h>

#include "base/plan.h"

namespace vipd {

// CLOCK_MONOTONIC.
inline Us MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<Us>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace vipd
