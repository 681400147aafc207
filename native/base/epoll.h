// What a thread that waits by epoll watches.
#pragma once

#include <sys/epoll.h>

#include <cstdint>

namespace vipd {

// From now on epoll_wait tells the tag when the descriptor is readable. False and errno: it cannot.
inline bool WatchReadable(int epoll, int fd, uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace vipd
