#include "engine/ah_check.h"

#include <algorithm>

namespace vipd {

namespace {

// RFC 3768 section 5.2.3: TTL of every multicast advert.
constexpr int kMulticastTtl = 255;
constexpr int kVersion = 2;

}  // namespace

SealCheck::Judgement AhCheck::Judge(const Packet& packet, Us, Us) {
  // What the decoder rejects for another reason, it names.
  if (!seal_.unicast && packet.ttl != kMulticastTtl) return {};
  if (packet.payload.empty() || packet.payload[0] >> 4 != kVersion) return {};
  const AhFields fields = ReadAh(packet.header);
  if (!fields.well_formed) return {SealVerdict::kMalformed};
  const Icv icv = AhIcv(seal_.key, seal_.unicast, packet.header, packet.payload);
  if (!EqualConstantTime(icv, packet.header.last(kIcvOctets))) return {SealVerdict::kInvalid};
  // The warden may be signing at this moment.
  SealSequence before = sequence_->load();
  do {
    const bool crossed =
        fields.sequence == before && before != heard_ && packet.from != seal_.source;
    if (fields.sequence <= before && !crossed) return {SealVerdict::kReplayed};
  } while (!sequence_->compare_exchange_weak(before, fields.sequence));
  heard_ = fields.sequence;
  return {SealVerdict::kVerified};
}

bool AhCheck::Judged(const Packet& packet) const {
  const AhFields fields = ReadAh(packet.header);
  return fields.well_formed && fields.sequence <= sequence_->load();
}

bool AhCheck::SaysTheSame(std::span<const uint8_t> a, std::span<const uint8_t> b) const {
  return std::ranges::equal(a, b);
}

}  // namespace vipd
