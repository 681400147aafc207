#include "engine/packet.h"

#include <algorithm>

#include "base/ah.h"

namespace vipd {

namespace {

// Of the IP header, RFC 791 section 3.1.
constexpr size_t kTtlAt = 8;
constexpr size_t kSourceAt = 12;

}  // namespace

std::optional<Packet> ReadPacket4(std::span<const uint8_t> octets, bool ah) {
  const size_t ip = octets.empty() ? 0 : (octets[0] & 0x0fu) * 4u;
  const size_t headers = ip + (ah ? kAhOctets : 0);
  if (ip < kIpOctets || octets.size() < headers) return std::nullopt;
  Packet packet;
  packet.ttl = octets[kTtlAt];
  packet.from.length = 4;
  std::copy_n(octets.begin() + kSourceAt, 4, packet.from.octets.begin());
  if (ah && ip == kIpOctets) packet.header = octets.first(headers);
  packet.payload = octets.subspan(headers);
  return packet;
}

}  // namespace vipd
