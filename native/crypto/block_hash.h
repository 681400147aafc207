// What MD5 and SHA-256 have in common: blocks of 64 octets, and a last one that ends in the length
// of the message in bits (RFC 1321 section 3.1, FIPS 180-4 section 5.1.1).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace vipd {

// `Function` has a State, what it is at the start (kStart), the octets of its words from the least
// or the most significant on (kLeastFirst), and how a block changes it (Block).
template <typename Function>
class BlockHash {
 public:
  // Octets; the same in both.
  static constexpr size_t kBlock = 64;
  using State = typename Function::State;
  using Digest = std::array<uint8_t, sizeof(State)>;

  BlockHash() : state_(Function::kStart) {}
  // Goes on after `octets`, a whole number of blocks, of which this is the state.
  BlockHash(const State& state, uint64_t octets) : state_(state), length_(octets) {}

  void Add(std::span<const uint8_t> octets) {
    while (!octets.empty()) {
      const size_t held = length_ % kBlock;
      const size_t taken = std::min(kBlock - held, octets.size());
      memcpy(block_.data() + held, octets.data(), taken);
      length_ += taken;
      octets = octets.subspan(taken);
      if (held + taken == kBlock) Function::Block(block_.data(), &state_);
    }
  }

  // Ends it.
  Digest Done() {
    const uint64_t bits = length_ * 8;
    const std::array<uint8_t, kBlock> padding = {0x80};
    const size_t held = length_ % kBlock;
    Add({padding.data(), (held < kLengthAt ? kLengthAt : kBlock + kLengthAt) - held});
    std::array<uint8_t, 8> length;
    for (size_t i = 0; i < 8; ++i)
      length[i] = static_cast<uint8_t>(bits >> 8 * (Function::kLeastFirst ? i : 7 - i));
    Add(length);
    Digest out;
    for (size_t i = 0; i < out.size(); ++i)
      out[i] =
          static_cast<uint8_t>(state_[i / 4] >> 8 * (Function::kLeastFirst ? i % 4 : 3 - i % 4));
    return out;
  }

  // After a whole number of blocks.
  const State& state() const { return state_; }

 private:
  // Where the length of the message stands in its last block.
  static constexpr size_t kLengthAt = 56;

  State state_;
  uint64_t length_ = 0;  // octets
  std::array<uint8_t, kBlock> block_{};
};

}  // namespace vipd
