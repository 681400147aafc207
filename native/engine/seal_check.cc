#include "engine/seal_check.h"

#include <cstring>
#include <utility>

#include "engine/ah_check.h"
#include "engine/trailer_check.h"

namespace vipd {

Address SealSender::address() const {
  Address out;
  const std::array<uint64_t, 2> halves = {address_high.load(), address_low.load()};
  memcpy(out.octets.data(), halves.data(), sizeof halves);
  out.length = length.load();
  return out;
}

void SealSender::Name(const Address& from) {
  std::array<uint64_t, 2> halves;
  memcpy(halves.data(), from.octets.data(), sizeof halves);
  at = -1;
  set = false;
  address_high = halves[0];
  address_low = halves[1];
  length = from.length;
}

std::unique_ptr<SealCheck> MakeSealCheck(const AnySeal& seal, std::shared_ptr<SealSenders> senders,
                                         std::atomic<SealSequence>* sequence,
                                         const SealCheck* before) {
  if (const auto* ah = std::get_if<AhSeal>(&seal))
    return std::make_unique<AhCheck>(*ah, sequence, dynamic_cast<const AhCheck*>(before));
  return std::make_unique<TrailerCheck>(std::get<Seal>(seal), std::move(senders), sequence,
                                        dynamic_cast<const TrailerCheck*>(before));
}

}  // namespace vipd
