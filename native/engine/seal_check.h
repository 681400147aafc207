// What a slot that knows keys asks of an advert before anything else looks at it: that its trailer
// is there, was made with one of the keys, and is later than the last one of its sender.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/seal_table.h"

namespace vipd {

// In the order in which they are looked for.
enum class SealVerdict : uint8_t {
  kNone,  // the slot asks for nothing, or the packet is no advert that could have a trailer
  kVerified,
  kMissing,  // accepted where the seal does not require it
  kMalformed,
  kStale,
  kUnknownKey,
  kInvalid,
  kReplayed,
  kUnknownSender
};
// How many there are.
constexpr size_t kSealVerdicts = 9;

// What is known of one sender: written by the engine's thread, read by the main thread.
struct SealSender {
  std::atomic<uint64_t> address_high{0};  // network order, as it lies in memory
  std::atomic<uint64_t> address_low{0};
  std::atomic<uint8_t> length{0};  // 0: none
  std::atomic<int64_t> skew{0};    // seconds that its clock is ahead of ours
  std::atomic<Us> at{-1};          // of its last good trailer, monotonic

  Address address() const;
  void Name(const Address& from);
};

// Senders of one slot: each unicast peer, or of multicast the last few.
struct SealSenders {
  // Multicast: the one that was heard least lately is forgotten for another.
  static constexpr size_t kLately = 4;

  explicit SealSenders(size_t count) : senders(count) {}
  std::vector<SealSender> senders;
};

class SealCheck {
 public:
  // `before`: what this one replaces; replays of what it heard stay replays.
  SealCheck(Seal seal, std::shared_ptr<SealSenders> senders, const SealCheck* before);

  struct Judgement {
    SealVerdict verdict = SealVerdict::kNone;
    int64_t skew = 0;  // seconds; of a trailer whose time was looked at
    // More than half the window, and not before: to be told.
    bool skewed = false;
  };
  Judgement Judge(const Address& from, int ttl, std::span<const uint8_t> payload, Us wall, Us now);

  // Whether a packet with this verdict may be what it says.
  bool Believes(SealVerdict verdict) const {
    return verdict == SealVerdict::kNone || verdict == SealVerdict::kVerified ||
           (verdict == SealVerdict::kMissing && !seal_.requires_it);
  }
  int family() const { return seal_.family; }

 private:
  struct Mark {
    SealSequence last = 0;
    bool set = false;
    bool skewed = false;
  };

  size_t PlaceOf(const Address& from) const;
  size_t PlaceToMark(const Address& from);
  bool Forgotten(const Mark& mark, Us wall) const;

  const Seal seal_;
  const std::shared_ptr<SealSenders> senders_;
  std::vector<Mark> marks_;
};

}  // namespace vipd
