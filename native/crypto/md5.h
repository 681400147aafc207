// MD5 (RFC 1321) and HMAC with it (RFC 2403, RFC 2104), for AH as VRRP version 2 has it and for
// nothing else: as a hash MD5 is broken. Our own for the reason of sha256.h. Held to the vectors of
// RFC 1321 and RFC 2202 and to node:crypto.
#pragma once

#include "crypto/block_hash.h"
#include "crypto/hmac.h"

namespace vipd {

struct Md5Function {
  using State = std::array<uint32_t, 4>;
  // RFC 1321 section 3.3.
  static constexpr State kStart = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  static constexpr bool kLeastFirst = true;
  static void Block(const uint8_t* octets, State* state);
};

using Md5 = BlockHash<Md5Function>;
using Md5Key = HmacKeyOf<Md5>;

inline Md5Key MakeMd5Key(std::span<const uint8_t> key) { return MakeHmacKeyOf<Md5>(key); }
inline Md5::Digest HmacMd5(const Md5Key& key, std::span<const std::span<const uint8_t>> parts) {
  return HmacOf<Md5>(key, parts);
}

}  // namespace vipd
