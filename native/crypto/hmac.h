// HMAC (RFC 2104) with any hash of `BlockHash`.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vipd {

// A key as what it comes to: the states after the two pads, so that a message costs two blocks
// less. Plain data, that may lie in shared memory. As secret as the key itself.
template <typename Hash>
struct HmacKeyOf {
  typename Hash::State inner;
  typename Hash::State outer;
};

template <typename Hash>
HmacKeyOf<Hash> MakeHmacKeyOf(std::span<const uint8_t> key) {
  std::array<uint8_t, Hash::kBlock> block{};
  if (key.size() > block.size()) {
    Hash hash;
    hash.Add(key);
    std::ranges::copy(hash.Done(), block.begin());
  } else {
    std::ranges::copy(key, block.begin());
  }
  const auto after = [&block](uint8_t pad) {
    std::array<uint8_t, Hash::kBlock> padded;
    std::ranges::transform(block, padded.begin(),
                           [&](uint8_t octet) { return static_cast<uint8_t>(octet ^ pad); });
    Hash hash;
    hash.Add(padded);
    return hash.state();
  };
  return {after(0x36), after(0x5c)};
}

// Of the parts, one after the other.
template <typename Hash>
typename Hash::Digest HmacOf(const HmacKeyOf<Hash>& key,
                             std::span<const std::span<const uint8_t>> parts) {
  Hash inner(key.inner, Hash::kBlock);
  for (const auto part : parts) inner.Add(part);
  Hash outer(key.outer, Hash::kBlock);
  outer.Add(inner.Done());
  return outer.Done();
}

// In a time that does not tell where the first difference is.
inline bool EqualConstantTime(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace vipd
