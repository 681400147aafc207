// A plan as a value: what to put on the wire and into the kernel, as finished bytes. Nothing here
// parses them. Several plans that are due at once form a batch, whose steps leave the host in this
// order: every advert first, then addresses, then the first frame of each, then the rest. Shared by
// the engine and by anything else that must carry out a plan; free of Node.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
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

// Frames that share a key leave one after the other, `gap` apart: see engine/pacer.h.
struct Pace {
  std::string key;
  Us gap = 0;  // 0: the frame leaves at once
  // Not sent: what waits of this very frame, for this slot, is dropped.
  bool withdrawn = false;

  bool operator==(const Pace&) const = default;
};

enum class StepKind : uint8_t { kDatagram, kNetlink, kFrame };

struct Step {
  StepKind kind = StepKind::kDatagram;
  int32_t target = 0;  // datagram: the link; frame: the interface index
  Address to;          // datagram
  // Datagram: the Ethernet and IP header that it leaves with, as a whole frame; empty: the kernel
  // makes them.
  Bytes head;
  Bytes bytes;
  std::vector<int> tolerate;  // netlink: errnos that mean "already so"
  // How many stand before it in its plan: frame: equal ones; datagram: ones to the same address.
  uint32_t round = 0;
  Pace pace;  // frame

  bool operator==(const Step&) const = default;
};

struct Plan {
  std::vector<Step> steps;
};
using PlanPtr = std::shared_ptr<const Plan>;

// Numbers the rounds of the frames and datagrams.
PlanPtr MakePlan(std::vector<Step> steps);

// A lead's time in office. What waits to be carried out for a lead is discarded when it is over.
struct Tenure {
  std::atomic<bool> over{false};
  // Its slot has other sockets now, or is gone. Requests are still carried out; frames that wait
  // for their turn are not.
  std::atomic<bool> left{false};
};
using TenurePtr = std::shared_ptr<Tenure>;

// One plan of one slot, to be carried out. `repeat` is an index into the standing lead, or none of
// it.
struct Run {
  // No index and no instant.
  static constexpr int kNoRepeat = -1;
  static constexpr Us kNoDeadline = -1;

  SlotId slot = 0;
  int64_t generation = 0;
  PlanPtr plan;
  TenurePtr tenure;  // of the lead that it is for; none: it is carried out whatever follows
  int repeat = kNoRepeat;
  Us deadline = kNoDeadline;  // of the follow that ended in this run
  // A repeat whose last turn still waits for the kernel: of this one only the datagrams are sent.
  bool partial = false;
  Us begun = 0;  // no step has been handed over by then
  // Filled in by the carrier: the first step handed over, the last datagram, everything
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

inline const Step& StepAt(const Batch& batch, Place place) {
  return batch[place.run].plan->steps[place.step];
}

// A datagram whose head is an Ethernet header alone is no advert: a frame for the packet filter of
// this host (src/wire/lease-note.ts), sent beside the adverts and in their order. It is not sealed,
// nor counted.
inline bool IsNote(const Step& step) {
  constexpr size_t kEthernetHeader = 14;  // ETH_HLEN
  return step.kind == StepKind::kDatagram && step.head.size() == kEthernetHeader;
}

// A frame that is to keep its distance, when all that it follows is done; its plan keeps it alive.
struct PacedFrame {
  SlotId slot = 0;
  int64_t generation = 0;
  TenurePtr tenure;
  PlanPtr plan;
  uint32_t at = 0;

  const Step& step() const { return plan->steps[at]; }
};

inline bool IsPaced(const Step& step) { return step.pace.gap > 0; }

inline PacedFrame PacedAt(const Batch& batch, Place place) {
  const Run& run = batch[place.run];
  return {run.slot, run.generation, run.tenure, run.plan, place.step};
}

// A step that the kernel refused. `call` is the system call or the rtnetlink request.
struct Failure {
  uint32_t run = 0;
  uint32_t step = 0;
  const char* call = "";
  int error = 0;
  std::string detail;
};

// A batch, and what has become of its steps so far.
struct Carried {
  Batch batch;
  std::vector<Failure> failures;

  void Done(Place place, Us now);
  void Fail(Place place, const char* call, int error, std::string detail = "");
  // Everything has been tried: fills in the times that are missing, and puts the failures in the
  // order of the runs.
  void Finish(Us now);
};

// The order in which steps leave the host: datagrams link by link, requests as they were given, and
// of the frames the first one of each kind before the second of any.
std::vector<Place> PlacesByLink(const Batch& batch);
std::vector<Place> RequestPlaces(const Batch& batch);
std::vector<Place> FramePlaces(const Batch& batch);

// What waits for the kernel and not for the wire alone.
bool HasKernelSteps(const Plan& plan);

// In two: the runs that `waits` says yes to, and the others.
struct Halves {
  Carried now;
  Carried later;
};
template <typename Waits>
Halves Split(Carried all, Waits waits) {
  Halves halves;
  std::vector<std::pair<Carried*, uint32_t>> moved;  // where each run is now
  for (Run& run : all.batch) {
    Carried* half = waits(run) ? &halves.later : &halves.now;
    moved.emplace_back(half, static_cast<uint32_t>(half->batch.size()));
    half->batch.push_back(std::move(run));
  }
  for (Failure& failure : all.failures) {
    const auto [half, run] = moved[failure.run];
    failure.run = run;
    half->failures.push_back(std::move(failure));
  }
  return halves;
}

// A request that takes something away from the kernel (RTM_DEL…).
bool TakesAway(const Step& step);

}  // namespace vipd
