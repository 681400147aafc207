#include "crypto/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace vipd {

namespace {

// FIPS 180-4 section 4.2.2.
constexpr std::array<uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// Section 5.3.3.
constexpr Sha256::State kStart = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// Where the length of the message stands in its last block.
constexpr size_t kLengthAt = 56;

uint32_t ReadWord(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

void WriteWord(uint32_t word, uint8_t* at) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(word >> (24 - 8 * i));
}

}  // namespace

Sha256::Sha256() : state_(kStart) {}

void Sha256::Block(const uint8_t* octets) {
  using std::rotr;
  std::array<uint32_t, 64> w;
  for (size_t i = 0; i < 16; ++i) w[i] = ReadWord(octets + 4 * i);
  for (size_t i = 16; i < 64; ++i) {
    const uint32_t a = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const uint32_t b = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + a + w[i - 7] + b;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t sum = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const uint32_t one = h + sum + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const uint32_t two = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + one;
    d = c;
    c = b;
    b = a;
    a = one + two;
  }
  const State more = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < state_.size(); ++i) state_[i] += more[i];
}

void Sha256::Add(std::span<const uint8_t> octets) {
  while (!octets.empty()) {
    const size_t held = length_ % kBlock;
    const size_t taken = std::min(kBlock - held, octets.size());
    memcpy(block_.data() + held, octets.data(), taken);
    length_ += taken;
    octets = octets.subspan(taken);
    if (held + taken == kBlock) Block(block_.data());
  }
}

Digest256 Sha256::Done() {
  const uint64_t bits = length_ * 8;
  const std::array<uint8_t, kBlock> padding = {0x80};
  const size_t held = length_ % kBlock;
  Add({padding.data(), (held < kLengthAt ? kLengthAt : kBlock + kLengthAt) - held});
  std::array<uint8_t, 8> length;
  WriteWord(static_cast<uint32_t>(bits >> 32), length.data());
  WriteWord(static_cast<uint32_t>(bits), length.data() + 4);
  Add(length);
  Digest256 out;
  for (size_t i = 0; i < state_.size(); ++i) WriteWord(state_[i], out.data() + 4 * i);
  return out;
}

namespace {

Sha256::State AfterPad(const std::array<uint8_t, Sha256::kBlock>& key, uint8_t pad) {
  std::array<uint8_t, Sha256::kBlock> block;
  std::ranges::transform(key, block.begin(),
                         [&](uint8_t octet) { return static_cast<uint8_t>(octet ^ pad); });
  Sha256 hash;
  hash.Add(block);
  return hash.state();
}

}  // namespace

HmacKey MakeHmacKey(std::span<const uint8_t> key) {
  std::array<uint8_t, Sha256::kBlock> block{};
  if (key.size() > block.size()) {
    Sha256 hash;
    hash.Add(key);
    std::ranges::copy(hash.Done(), block.begin());
  } else {
    std::ranges::copy(key, block.begin());
  }
  return {AfterPad(block, 0x36), AfterPad(block, 0x5c)};
}

Digest256 HmacSha256(const HmacKey& key, std::span<const std::span<const uint8_t>> parts) {
  Sha256 inner(key.inner, Sha256::kBlock);
  for (const auto part : parts) inner.Add(part);
  Sha256 outer(key.outer, Sha256::kBlock);
  outer.Add(inner.Done());
  return outer.Done();
}

bool EqualConstantTime(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace vipd
