#include "plan.h"

#include <algorithm>

namespace vipd {

namespace {

bool SameFrame(const Step& a, const Step& b) {
  return a.kind == StepKind::kFrame && b.kind == StepKind::kFrame && a.target == b.target &&
         a.bytes == b.bytes;
}

}  // namespace

PlanPtr MakePlan(std::vector<Step> steps) {
  // Backwards to the nearest equal frame: a burst repeats its frames at a short distance.
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].kind != StepKind::kFrame) continue;
    for (size_t j = i; j-- > 0;) {
      if (!SameFrame(steps[i], steps[j])) continue;
      steps[i].round = steps[j].round + 1;
      break;
    }
  }
  return std::make_shared<const Plan>(Plan{std::move(steps)});
}

Arranged Arrange(const Batch& batch) {
  Arranged out;
  const auto step_of = [&](const Place& p) -> const Step& {
    return batch[p.run].plan->steps[p.step];
  };
  for (uint32_t run = 0; run < batch.size(); ++run) {
    const auto& steps = batch[run].plan->steps;
    for (uint32_t step = 0; step < steps.size(); ++step) {
      const Place place{run, step};
      if (steps[step].kind == StepKind::kDatagram) out.datagrams.push_back(place);
      if (steps[step].kind == StepKind::kNetlink) out.netlink.push_back(place);
      if (steps[step].kind == StepKind::kFrame) out.frames.push_back(place);
    }
  }
  std::stable_sort(out.datagrams.begin(), out.datagrams.end(), [&](const Place& a, const Place& b) {
    return step_of(a).target < step_of(b).target;  // one link after the other: one call each
  });
  std::stable_sort(out.frames.begin(), out.frames.end(), [&](const Place& a, const Place& b) {
    return step_of(a).round < step_of(b).round;
  });
  return out;
}

}  // namespace vipd
