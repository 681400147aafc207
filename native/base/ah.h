// An advert of VRRP version 2 behind an authentication header (RFC 2402, RFC 2403), as keepalived
// sends and checks it:
//
//   IP, 20 octets | next header 112 | length 4 | 0 0 | SPI: the source | sequence (4) | ICV (12)
//   | PDU, with authentication type 2 and eight zeros at its end
//
// The ICV is the first 12 octets of HMAC-MD5 over all of it, with TOS, flags, fragment offset,
// header checksum and the ICV as zeros; to a unicast address also the TTL. The identification is
// covered, so it is ours and no kernel's to choose, and never 0, which the kernel would replace.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/plan.h"
#include "crypto/md5.h"

namespace vipd {

// RFC 791 without options, RFC 2402 section 2 and RFC 2403.
constexpr size_t kIpOctets = 20;
constexpr size_t kIcvOctets = 12;
constexpr size_t kAhOctets = 12 + kIcvOctets;
constexpr size_t kAhHeadersOctets = kIpOctets + kAhOctets;
// IANA's protocol numbers.
constexpr uint8_t kVrrpProtocol = 112;
constexpr uint8_t kAhProtocol = 51;

using Icv = std::array<uint8_t, kIcvOctets>;

// How a slot signs with a header, and checks what it hears.
struct AhSeal {
  Address source;
  Md5Key key{};
  uint8_t ttl = 0;
  uint8_t traffic_class = 0;
  bool unicast = false;
};

// What was received in front of the PDU.
struct AhFields {
  bool well_formed = false;
  uint32_t sequence = 0;
};

// The whole packet; `sequence` is not 0.
void PutAhPacket(const AhSeal& seal, const Address& to, uint32_t sequence,
                 std::span<const uint8_t> pdu, Bytes* out);
// `headers`: the IP header and the authentication header.
AhFields ReadAh(std::span<const uint8_t> headers);
// Of well-formed headers.
Icv AhIcv(const Md5Key& key, bool unicast, std::span<const uint8_t> headers,
          std::span<const uint8_t> pdu);

}  // namespace vipd
