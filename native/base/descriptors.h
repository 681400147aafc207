// Descriptors that one process sends to another over a connected socket that keeps messages apart
// (AF_UNIX, SOCK_SEQPACKET), each with a tag that says what it is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/sockets.h"

namespace vipd {

struct TaggedFd {
  uint64_t tag;
  int fd;
};

// `round` tells those that were sent together. 0, or the errno: EAGAIN when the other does not
// read.
int SendDescriptors(int socket, uint32_t round, std::span<const TaggedFd> given);

struct ReceivedFd {
  uint64_t tag;
  UniqueFd fd;
};

// What lies there of that round; what lies there of one before is closed.
std::vector<ReceivedFd> ReceiveDescriptors(int socket, uint32_t round);

}  // namespace vipd
