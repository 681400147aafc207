// What a slot that knows keys asks of an advert before anything else looks at it. How it is signed
// is the business of `TrailerCheck` (auth_hmac) and of `AhCheck`.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/seal_table.h"
#include "engine/packet.h"

namespace vipd {

// In the order in which they are looked for.
enum class SealVerdict : uint8_t {
  kNone,  // the slot asks for nothing, or the packet is no advert that could be signed
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
  std::atomic<uint8_t> length{0};     // 0: none
  std::atomic<int64_t> skew{0};       // seconds that its clock is ahead of ours
  std::atomic<Us> at{-1};             // of its last good trailer, monotonic
  std::atomic<SealSequence> last{0};  // the latest of its sequences
  std::atomic<bool> set{false};       // `last` is one

  Address address() const;
  void Name(const Address& from);
};

// Senders of one slot: each unicast peer, or of multicast the last few. Of AH none: all routers of
// a slot share one sequence.
struct SealSenders {
  // Multicast: the one that was heard least lately is forgotten for another.
  static constexpr size_t kLately = 4;

  explicit SealSenders(size_t count) : senders(count) {}
  std::vector<SealSender> senders;
};

class SealCheck {
 public:
  virtual ~SealCheck() = default;

  struct Judgement {
    SealVerdict verdict = SealVerdict::kNone;
    int64_t skew = 0;  // seconds; of a trailer whose time was looked at
    // More than half the window, and not before: to be told.
    bool skewed = false;
  };
  virtual Judgement Judge(const Packet& packet, Us wall, Us now) = 0;
  // Whether a packet with this verdict may be what it says.
  virtual bool Believes(SealVerdict verdict) const = 0;
  // Of two adverts of one length that verify: whether they say the same.
  virtual bool SaysTheSame(std::span<const uint8_t> a, std::span<const uint8_t> b) const = 0;
  // The latest of each sender, and the same of a process before this one.
  virtual std::vector<SealMark> Marks() const { return {}; }
  virtual void Remember(const SealMark&) {}
  // The slot's own sequence is that of a process before this one.
  virtual void GoOnFrom(SealSequence) {}
  // As far as its sequence says: this packet, or a later one of its sender, has been judged before.
  virtual bool Judged(const Packet& packet) const = 0;
};

// `before`: what this one replaces, or null; replays of what it heard stay replays. `sequence`: the
// slot's in the table, which must outlive it; null: it never sealed.
std::unique_ptr<SealCheck> MakeSealCheck(const AnySeal& seal, std::shared_ptr<SealSenders> senders,
                                         std::atomic<SealSequence>* sequence,
                                         const SealCheck* before);

}  // namespace vipd
