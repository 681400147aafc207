#include "base/plan.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace vipd {

namespace {

// A withdrawal follows all that it may be meant for.
constexpr uint32_t kLastRound = std::numeric_limits<uint32_t>::max();

bool SamePlace(const Step& a, const Step& b) {
  if (a.kind != b.kind || a.target != b.target) return false;
  if (a.kind == StepKind::kDatagram) return a.to == b.to;
  return a.bytes == b.bytes && a.pace.withdrawn == b.pace.withdrawn;
}

}  // namespace

PlanPtr MakePlan(std::vector<Step> steps) {
  // Backwards to the nearest one: a burst repeats its frames at a short distance.
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].kind == StepKind::kNetlink) continue;
    if (steps[i].pace.withdrawn) {
      steps[i].round = kLastRound;
      continue;
    }
    for (size_t j = i; j-- > 0;) {
      if (!SamePlace(steps[i], steps[j])) continue;
      steps[i].round = steps[j].round + 1;
      break;
    }
  }
  return std::make_shared<const Plan>(Plan{std::move(steps)});
}

namespace {

std::vector<Place> PlacesOf(const Batch& batch, StepKind kind) {
  std::vector<Place> out;
  for (uint32_t run = 0; run < batch.size(); ++run) {
    const auto& steps = batch[run].plan->steps;
    for (uint32_t step = 0; step < steps.size(); ++step)
      if (steps[step].kind == kind) out.push_back({run, step});
  }
  return out;
}

}  // namespace

std::vector<Place> PlacesByLink(const Batch& batch) {
  std::vector<Place> out = PlacesOf(batch, StepKind::kDatagram);
  // One link after the other: one call each.
  std::ranges::stable_sort(out, {}, [&](Place place) { return StepAt(batch, place).target; });
  return out;
}

std::vector<Place> RequestPlaces(const Batch& batch) { return PlacesOf(batch, StepKind::kNetlink); }

std::vector<Place> FramePlaces(const Batch& batch) {
  std::vector<Place> out = PlacesOf(batch, StepKind::kFrame);
  std::ranges::stable_sort(out, {}, [&](Place place) { return StepAt(batch, place).round; });
  return out;
}

void Carried::Done(Place place, Us now) {
  Run& run = batch[place.run];
  if (run.first_at == 0) run.first_at = now;
  run.done_at = now;
}

void Carried::Fail(Place place, const char* call, int error, std::string detail) {
  failures.push_back({place.run, place.step, call, error, std::move(detail)});
}

void Carried::Finish(Us now) {
  for (Run& run : batch) {
    if (run.done_at == 0) run.done_at = now;
    if (run.first_at == 0) run.first_at = run.done_at;
  }
  std::ranges::stable_sort(failures, {}, &Failure::run);
}

bool HasKernelSteps(const Plan& plan) {
  return std::ranges::any_of(plan.steps,
                             [](const Step& step) { return step.kind != StepKind::kDatagram; });
}

bool TakesAway(const Step& step) {
  if (step.kind != StepKind::kNetlink || step.bytes.size() < sizeof(nlmsghdr)) return false;
  nlmsghdr header;
  memcpy(&header, step.bytes.data(), sizeof header);
  // rtnetlink's types come in fours: NEW, DEL, GET, SET.
  return header.nlmsg_type >= RTM_BASE && (header.nlmsg_type - RTM_BASE) % 4 == 1;
}

}  // namespace vipd
