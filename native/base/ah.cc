#include "base/ah.h"

#include <algorithm>

namespace vipd {

namespace {

// Of the IP header, RFC 791 section 3.1.
constexpr size_t kTrafficClassAt = 1;
constexpr size_t kLengthAt = 2;
constexpr size_t kIdentificationAt = 4;
constexpr size_t kFragmentAt = 6;
constexpr size_t kTtlAt = 8;
constexpr size_t kProtocolAt = 9;
constexpr size_t kChecksumAt = 10;
constexpr size_t kSourceAt = 12;
constexpr size_t kDestinationAt = 16;
constexpr uint8_t kVersionAndLength = 0x45;  // 4, and five words: no options
// Of the authentication header, behind it: RFC 2402 section 2.
constexpr size_t kNextAt = kIpOctets;
constexpr size_t kAhLengthAt = kIpOctets + 1;
constexpr size_t kReservedAt = kIpOctets + 2;
constexpr size_t kSpiAt = kIpOctets + 4;
constexpr size_t kSequenceAt = kIpOctets + 8;
constexpr size_t kIcvAt = kIpOctets + 12;
constexpr uint8_t kAhWords = kAhOctets / 4 - 2;
// Identifications from 1 on, in 16 bits.
constexpr uint32_t kIdentifications = 0xffff;

template <typename Octets>
uint32_t Read16(const Octets& from, size_t at) {
  return uint32_t{from[at]} << 8 | from[at + 1];
}

void Write16(uint32_t value, uint8_t* at) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

// RFC 1071.
uint32_t Checksum(std::span<const uint8_t> header) {
  uint32_t sum = 0;
  for (size_t i = 0; i < header.size(); i += 2) sum += Read16(header, i);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

}  // namespace

void PutAhPacket(const AhSeal& seal, const Address& to, uint32_t sequence,
                 std::span<const uint8_t> pdu, Bytes* out) {
  out->assign(kAhHeadersOctets, 0);
  out->insert(out->end(), pdu.begin(), pdu.end());
  uint8_t* const at = out->data();
  at[0] = kVersionAndLength;
  at[kTrafficClassAt] = seal.traffic_class;
  Write16(static_cast<uint32_t>(out->size()), at + kLengthAt);
  Write16(1 + (sequence - 1) % kIdentifications, at + kIdentificationAt);
  at[kTtlAt] = seal.ttl;
  at[kProtocolAt] = kAhProtocol;
  std::copy_n(seal.source.octets.begin(), 4, at + kSourceAt);
  std::copy_n(to.octets.begin(), 4, at + kDestinationAt);
  Write16(Checksum({at, kIpOctets}), at + kChecksumAt);
  at[kNextAt] = kVrrpProtocol;
  at[kAhLengthAt] = kAhWords;
  std::copy_n(seal.source.octets.begin(), 4, at + kSpiAt);
  Write16(sequence >> 16, at + kSequenceAt);
  Write16(sequence & 0xffff, at + kSequenceAt + 2);
  const Icv icv = AhIcv(seal.key, seal.unicast, {at, kAhHeadersOctets}, pdu);
  std::ranges::copy(icv, at + kIcvAt);
}

AhFields ReadAh(std::span<const uint8_t> headers) {
  if (headers.size() != kAhHeadersOctets) return {};
  const bool well_formed =
      headers[0] == kVersionAndLength && headers[kNextAt] == kVrrpProtocol &&
      headers[kAhLengthAt] == kAhWords && Read16(headers, kReservedAt) == 0 &&
      std::ranges::equal(headers.subspan(kSpiAt, 4), headers.subspan(kSourceAt, 4));
  return {well_formed, Read16(headers, kSequenceAt) << 16 | Read16(headers, kSequenceAt + 2)};
}

Icv AhIcv(const Md5Key& key, bool unicast, std::span<const uint8_t> headers,
          std::span<const uint8_t> pdu) {
  std::array<uint8_t, kAhHeadersOctets> covered;
  std::ranges::copy(headers.first(kAhHeadersOctets), covered.begin());
  covered[kTrafficClassAt] = 0;
  Write16(0, covered.data() + kFragmentAt);
  if (unicast) covered[kTtlAt] = 0;
  Write16(0, covered.data() + kChecksumAt);
  std::fill_n(covered.begin() + kIcvAt, kIcvOctets, uint8_t{0});
  const std::array<std::span<const uint8_t>, 2> parts = {covered, pdu};
  const Md5::Digest digest = HmacMd5(key, parts);
  Icv icv;
  std::copy_n(digest.begin(), icv.size(), icv.begin());
  return icv;
}

}  // namespace vipd
