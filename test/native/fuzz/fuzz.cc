#include "fuzz.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace vipd {

uint8_t Input::Octet() {
  if (left_.empty()) return 0;
  const uint8_t octet = left_.front();
  left_ = left_.subspan(1);
  return octet;
}

Bytes Input::Octets(size_t max) {
  const auto taken = left_.first(std::min(max, left_.size()));
  left_ = left_.subspan(taken.size());
  return {taken.begin(), taken.end()};
}

void Require(bool holds, const char* claim) {
  if (holds) return;
  fprintf(stderr, "does not hold: %s\n", claim);
  abort();
}

PlanPtr SomePlan(Input* in) {
  std::vector<Step> steps;
  for (int left = in->Below(5); left > 0; --left) {
    Step step;
    step.kind = static_cast<StepKind>(in->Below(3));
    step.target = 1 + in->Below(2);
    step.to.length = in->Below(2) == 0 ? 4 : 16;
    step.bytes = in->Octets(static_cast<size_t>(in->Below(3)));
    for (int errors = in->Below(3); errors > 0; --errors) step.tolerate.push_back(in->Below(256));
    steps.push_back(std::move(step));
  }
  const PlanPtr plan = MakePlan(std::move(steps));
  for (size_t i = 0; i < plan->steps.size(); ++i) {
    const Step& step = plan->steps[i];
    const auto equal = [&](const Step& other) {
      return other.kind == step.kind && other.target == step.target && other.bytes == step.bytes;
    };
    const auto before =
        std::count_if(plan->steps.begin(), plan->steps.begin() + static_cast<long>(i), equal);
    Require(step.kind != StepKind::kFrame || step.round == before, "equal frames are numbered");
  }
  return plan;
}

void CheckArranged(const Batch& batch) {
  const Arranged order = Arrange(batch);
  std::set<std::pair<uint32_t, uint32_t>> seen;
  const auto step_of = [&](const Place& place) -> const Step& {
    Require(place.run < batch.size() && place.step < batch[place.run].plan->steps.size(),
            "a place is a step's");
    return batch[place.run].plan->steps[place.step];
  };
  const auto check = [&](const std::vector<Place>& places, StepKind kind) {
    for (const Place& place : places) {
      Require(step_of(place).kind == kind, "each stage has its kind");
      Require(seen.insert({place.run, place.step}).second, "no step is done twice");
    }
  };
  check(order.datagrams, StepKind::kDatagram);
  check(order.netlink, StepKind::kNetlink);
  check(order.frames, StepKind::kFrame);
  size_t steps = 0;
  for (const Run& run : batch) steps += run.plan->steps.size();
  Require(seen.size() == steps, "every step is done");
  const auto sorted = [&](const std::vector<Place>& places, auto key) {
    const auto rank = [&](const Place& place) {
      return std::tuple(key(step_of(place)), place.run, place.step);
    };
    Require(std::ranges::is_sorted(places, {}, rank), "steps leave in order");
  };
  sorted(order.datagrams, [](const Step& step) { return step.target; });
  sorted(order.netlink, [](const Step&) { return 0; });
  sorted(order.frames, [](const Step& step) { return step.round; });
}

}  // namespace vipd
