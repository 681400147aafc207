// What a receiving socket gives, as the core takes it.
#pragma once

#include <optional>
#include <span>

#include "base/plan.h"

namespace vipd {

struct Packet {
  Address from;
  int ttl = -1;
  // AH: the IP header and the authentication header, if they are as `base/ah.h` has them; else
  // none.
  std::span<const uint8_t> header;
  std::span<const uint8_t> payload;  // the PDU and what lies behind it
};

// What an IPv4 raw socket delivered, from its IP header on; `ah`: an authentication header lies
// behind it. Nothing: it is too short to be asked for its VRID.
std::optional<Packet> ReadPacket4(std::span<const uint8_t> octets, bool ah);

}  // namespace vipd
