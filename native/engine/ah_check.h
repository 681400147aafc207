// AH: that the header was made with the key, and that its sequence is greater than all that this
// slot has heard or sent. All routers of a slot go on from one sequence, as keepalived's do: the
// next master continues it, which is why the slot's own in the table is the mark. Two routers that
// send in the same moment use the same number: what another sent with that of this router is no
// replay, once; else two masters of one priority might drop each other's adverts for long.
#pragma once

#include <atomic>

#include "engine/seal_check.h"

namespace vipd {

class AhCheck : public SealCheck {
 public:
  // `sequence` null: there was no room in the table; the slot sends nothing, and has its own mark.
  // `before`: what this one replaces, or null.
  AhCheck(AhSeal seal, std::atomic<SealSequence>* sequence, const AhCheck* before)
      : seal_(seal),
        sequence_(sequence == nullptr ? &own_ : sequence),
        heard_(before == nullptr ? sequence_->load() : before->heard_) {}

  Judgement Judge(const Packet& packet, Us wall, Us now) override;
  bool Believes(SealVerdict verdict) const override {
    return verdict == SealVerdict::kNone || verdict == SealVerdict::kVerified;
  }
  bool SaysTheSame(std::span<const uint8_t> a, std::span<const uint8_t> b) const override;
  bool Judged(const Packet& packet) const override;
  void GoOnFrom(SealSequence sequence) override { heard_ = sequence; }

 private:
  const AhSeal seal_;
  std::atomic<SealSequence> own_{0};
  std::atomic<SealSequence>* const sequence_;
  // The last that was not this router's own, as far as is known.
  SealSequence heard_;
};

}  // namespace vipd
