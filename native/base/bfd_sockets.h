// The UDP sockets of BFD (RFC 5881 section 4, RFC 5883 section 5).
#pragma once

#include <random>
#include <span>

#include "base/sockets.h"

namespace vipd {

struct BfdSocketSpec {
  Address local;  // length 0: the kernel's choice
  Address peer;
  std::string interface;  // empty: not bound to one
  int ifindex = 0;        // of a link-local peer's link
  uint16_t port = 0;      // the peer's
  int ttl = 0;
  int traffic_class = 0;
};

// Receives what any peer sends to that port: with TTL, interface and the kernel's arrival stamp.
Opened OpenBfdReceiver(int family, uint16_t port);
// Connected to the peer, from a port of 49152 to 65535 that is drawn from `random`.
Opened OpenBfdSender(const BfdSocketSpec& spec, std::minstd_rand* random);

struct BfdReceived {
  Address from;
  Address to;
  int ttl = -1;
  int ifindex = 0;
  Us age = 0;  // since its arrival by the wall clock, which may have been set meanwhile
  std::span<const uint8_t> payload;
};
// One packet into `buffer`; nothing when none lies there. What cannot be read is passed over.
std::optional<BfdReceived> ReceiveBfd(int fd, int family, std::span<uint8_t> buffer);

}  // namespace vipd
