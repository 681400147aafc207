// A plan as a value: what to put on the wire and into the kernel, as finished bytes. Nothing here
// parses them. Several plans that are due at once form a batch, and `Arrange` says in which order
// their steps leave the host: every advert first, then addresses, then the first frame of each,
// then the rest. Shared by the engine and by anything else that must carry out a plan; free of
// Node.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vipd {

// Microseconds on CLOCK_MONOTONIC, or a span of them.
using Us = int64_t;
using Bytes = std::vector<uint8_t>;
using SlotId = int32_t;
using LinkId = int32_t;

// 4 or 16 octets in network order; length 0 is no address.
struct Address {
  std::array<uint8_t, 16> octets{};
  uint8_t length = 0;

  bool operator==(const Address&) const = default;
};

enum class StepKind : uint8_t { kDatagram, kNetlink, kFrame };

struct Step {
  StepKind kind = StepKind::kDatagram;
  int32_t target = 0;  // datagram: the link; frame: the interface index
  Address to;          // datagram
  Bytes bytes;
  std::vector<int> tolerate;  // netlink: errnos that mean "already so"
  uint32_t round = 0;         // frame: how many equal frames stand before it in its plan
};

struct Plan {
  std::vector<Step> steps;
};
using PlanPtr = std::shared_ptr<const Plan>;

// Numbers the rounds of the frames.
PlanPtr MakePlan(std::vector<Step> steps);

// One plan of one slot, to be carried out. `repeat` is an index into the standing lead, or none of
// it.
struct Run {
  static constexpr int kNoRepeat = -1;
  static constexpr Us kNoDeadline = -1;

  SlotId slot = 0;
  int64_t generation = 0;
  PlanPtr plan;
  int repeat = kNoRepeat;
  Us deadline = kNoDeadline;  // of the follow that ended in this run
  // Filled in by whoever carries it out: the first step handed over, the last datagram, everything
  // done.
  Us first_at = 0;
  Us sent_at = 0;
  Us done_at = 0;
};
using Batch = std::vector<Run>;

struct Place {
  uint32_t run;
  uint32_t step;
};

struct Arranged {
  std::vector<Place> datagrams;
  std::vector<Place> netlink;
  std::vector<Place> frames;
};

Arranged Arrange(const Batch& batch);

// A step that the kernel refused. `call` is the system call or the rtnetlink request.
struct Failure {
  uint32_t run = 0;
  uint32_t step = 0;
  const char* call = "";
  int error = 0;
  std::string detail;
};

}  // namespace vipd
