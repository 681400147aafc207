// The authentication trailer of a sealed advert (draft-cassen-vrrp-auth-hmac), behind the PDU:
//
//   type 1 | key id | 0 0 | seconds (4) | fraction (2) | counter (2) | MAC (16)
//
// The MAC is the first half of HMAC-SHA-256 over a prefix of 20 octets (family, version, VRID, 0,
// source address in 16), the PDU with its checksum as zero, and the trailer up to the MAC with 16
// zeros behind. The destination is not covered.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/plan.h"
#include "crypto/sha256.h"

namespace vipd {

// The format is the draft's.
constexpr size_t kMacOctets = 16;
constexpr size_t kSealedOctets = 12;  // of the trailer, in front of the MAC
constexpr size_t kTrailerOctets = kSealedOctets + kMacOctets;
constexpr uint8_t kTrailerType = 1;  // HMAC-SHA-256, its first half
// Of the PDU.
constexpr size_t kHeaderOctets = 8;
constexpr size_t kChecksumAt = 6;
constexpr size_t kChecksumEnd = 8;

using SealPrefix = std::array<uint8_t, 20>;
using Mac = std::array<uint8_t, kMacOctets>;

// Seconds since 1970, then a fraction of 1/65,536 s, then a counter; grows as a number does.
using SealSequence = uint64_t;

SealPrefix MakeSealPrefix(int family, int version, uint8_t vrid, const Address& source);
Mac SealMac(const HmacKey& key, const SealPrefix& prefix, std::span<const uint8_t> pdu,
            std::span<const uint8_t> sealed);
// A clock's reading in µs since 1970; the counter is 0.
SealSequence SequenceAt(Us wall);
// RFC 1982: whether `a` is later than `b`.
inline bool Later(SealSequence a, SealSequence b) { return static_cast<int64_t>(a - b) > 0; }
inline int64_t SecondsOf(SealSequence sequence) { return static_cast<int64_t>(sequence >> 32); }

}  // namespace vipd
