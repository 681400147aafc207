// auth_hmac: that the trailer is there, was made with one of the keys, and is later than the last
// one of its sender, and than what this slot has sent where that has its own address.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "engine/seal_check.h"

namespace vipd {

class TrailerCheck : public SealCheck {
 public:
  // `sent`: the sequence that the slot used last, or null: it never sealed.
  TrailerCheck(Seal seal, std::shared_ptr<SealSenders> senders,
               const std::atomic<SealSequence>* sent, const TrailerCheck* before);

  Judgement Judge(const Packet& packet, Us wall, Us now) override;
  bool Believes(SealVerdict verdict) const override {
    return verdict == SealVerdict::kNone || verdict == SealVerdict::kVerified ||
           (verdict == SealVerdict::kMissing && !seal_.requires_it);
  }
  bool SaysTheSame(std::span<const uint8_t> a, std::span<const uint8_t> b) const override;
  bool Judged(const Packet& packet) const override;
  std::vector<SealMark> Marks() const override;
  void Remember(const SealMark& mark) override;

 private:
  struct Mark {
    SealSequence last = 0;
    bool set = false;
    bool skewed = false;
  };

  size_t PlaceOf(const Address& from) const;
  size_t PlaceToMark(const Address& from);
  bool Forgotten(const Mark& mark, Us wall) const;
  bool IsOwn(const Address& from, SealSequence sequence) const;

  const Seal seal_;
  const std::shared_ptr<SealSenders> senders_;
  const std::atomic<SealSequence>* const sent_;
  std::vector<Mark> marks_;
};

}  // namespace vipd
