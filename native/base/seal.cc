#include "base/seal.h"

#include <algorithm>

namespace vipd {

SealPrefix MakeSealPrefix(int family, int version, uint8_t vrid, const Address& source) {
  SealPrefix prefix{};
  prefix[0] = static_cast<uint8_t>(family);
  prefix[1] = static_cast<uint8_t>(version);
  prefix[2] = vrid;
  std::copy_n(source.octets.begin(), source.length, prefix.begin() + 4);
  return prefix;
}

Mac SealMac(const HmacKey& key, const SealPrefix& prefix, std::span<const uint8_t> pdu,
            std::span<const uint8_t> sealed) {
  static constexpr std::array<uint8_t, kMacOctets> kZeros{};
  const std::array<std::span<const uint8_t>, 6> parts = {
      prefix,
      pdu.first(kChecksumAt),
      std::span(kZeros).first(kChecksumEnd - kChecksumAt),
      pdu.subspan(kChecksumEnd),
      sealed,
      kZeros};
  const Digest256 digest = HmacSha256(key, parts);
  Mac mac;
  std::copy_n(digest.begin(), mac.size(), mac.begin());
  return mac;
}

SealSequence SequenceAt(Us wall) {
  const auto seconds = static_cast<uint64_t>(wall / 1'000'000);
  const auto fraction = static_cast<uint64_t>(wall % 1'000'000) * 65'536 / 1'000'000;
  return seconds << 32 | fraction << 16;
}

}  // namespace vipd
