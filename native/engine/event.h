// What the engine tells TypeScript. Which fields say something depends on the kind; the comment of
// each names the kinds.
#pragma once

#include <string>

#include "base/plan.h"
#include "engine/seal_check.h"

namespace vipd {

struct Event {
  enum class Kind : uint8_t {
    kPacket,
    kExpired,
    kFailed,
    kLate,
    kLapsed,
    kKernel,
    kOverrun,
    kLinkFailed,
    kWardenLost,
    kRealtimeLost,
    kStranger,
    kSkewed,
    kGaveSlots,
    kTookSlots,
    kExchangeOver,
    kAnswer
  };

  Kind kind = Kind::kPacket;
  SlotId slot = 0;
  LinkId link = 0;
  int64_t generation = 0;
  Us at = 0;
  Us done_at = 0;                         // expired
  Us deadline = 0;                        // expired
  Us late_by = 0;                         // late
  Address from;                           // packet
  int ttl = 0;                            // packet
  uint8_t vrid = 0;                       // stranger
  SealVerdict seal = SealVerdict::kNone;  // packet
  int64_t skew = 0;  // packet with a trailer, skewed: seconds that its sender's clock is ahead
  // packet: the payload; kernel: the message; failed: the request; answer: the messages
  Bytes bytes;
  uint32_t count = 1;
  uint32_t step = 0;  // failed
  StepKind step_kind = StepKind::kDatagram;
  uint32_t id = 0;        // answer: the request's
  const char* call = "";  // failed, linkFailed; answer: null if there is one
  int error = 0;
  std::string detail;  // failed, answer; exchangeOver: why

  static Event Of(Kind kind, SlotId slot, int64_t generation) {
    Event event;
    event.kind = kind;
    event.slot = slot;
    event.generation = generation;
    return event;
  }
};

}  // namespace vipd
