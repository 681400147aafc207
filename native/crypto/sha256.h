// SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104): our own, because the warden has no Node and a
// distribution's Node exports no OpenSSL. Held to NIST's and RFC 4231's vectors and to node:crypto.
#pragma once

#include "crypto/block_hash.h"
#include "crypto/hmac.h"

namespace vipd {

struct Sha256Function {
  using State = std::array<uint32_t, 8>;
  // FIPS 180-4 section 5.3.3.
  static constexpr State kStart = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  static constexpr bool kLeastFirst = false;
  static void Block(const uint8_t* octets, State* state);
};

using Sha256 = BlockHash<Sha256Function>;
using Digest256 = Sha256::Digest;
using HmacKey = HmacKeyOf<Sha256>;

inline HmacKey MakeHmacKey(std::span<const uint8_t> key) { return MakeHmacKeyOf<Sha256>(key); }
inline Digest256 HmacSha256(const HmacKey& key, std::span<const std::span<const uint8_t>> parts) {
  return HmacOf<Sha256>(key, parts);
}

}  // namespace vipd
