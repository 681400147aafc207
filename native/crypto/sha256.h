// SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104): our own, because the warden has no Node and a
// distribution's Node exports no OpenSSL. Held to NIST's and RFC 4231's vectors and to node:crypto.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vipd {

using Digest256 = std::array<uint8_t, 32>;

class Sha256 {
 public:
  // FIPS 180-4.
  static constexpr size_t kBlock = 64;
  using State = std::array<uint32_t, 8>;

  Sha256();
  // Goes on after `octets`, a whole number of blocks, of which this is the state.
  Sha256(const State& state, uint64_t octets) : state_(state), length_(octets) {}

  void Add(std::span<const uint8_t> octets);
  // Ends it.
  Digest256 Done();
  // After a whole number of blocks.
  const State& state() const { return state_; }

 private:
  void Block(const uint8_t* octets);

  State state_;
  uint64_t length_ = 0;  // octets
  std::array<uint8_t, kBlock> block_{};
};

// A key as what it comes to: the states after the two pads, so that a message costs two blocks
// less. Plain data, that may lie in shared memory. As secret as the key itself.
struct HmacKey {
  Sha256::State inner;
  Sha256::State outer;
};

HmacKey MakeHmacKey(std::span<const uint8_t> key);
// Of the parts, one after the other.
Digest256 HmacSha256(const HmacKey& key, std::span<const std::span<const uint8_t>> parts);

// In a time that does not tell where the first difference is.
bool EqualConstantTime(std::span<const uint8_t> a, std::span<const uint8_t> b);

}  // namespace vipd
