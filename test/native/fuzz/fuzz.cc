#include "fuzz.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "base/step_queue.h"

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

namespace {

// Every step of the batch once, handed over in the order that the queue promises.
void CheckOrder(const Batch& batch, const std::vector<std::vector<Place>>& slices) {
  std::set<std::pair<uint32_t, uint32_t>> seen;
  std::set<std::pair<uint32_t, uint32_t>> waiting;  // requests
  for (const Place place : RequestPlaces(batch)) waiting.insert({place.run, place.step});
  for (const std::vector<Place>& slice : slices) {
    for (const Place place : slice) {
      Require(place.run < batch.size() && place.step < batch[place.run].plan->steps.size(),
              "a place is a step's");
      Require(seen.insert({place.run, place.step}).second, "no step is done twice");
      const Step& step = StepAt(batch, place);
      if (step.kind != StepKind::kFrame) continue;
      const auto own = waiting.lower_bound({place.run, 0});
      Require(own == waiting.end() || own->first != place.run,
              "a frame follows the answers of its plan");
      Require(step.round == 0 || waiting.empty(), "a second frame follows all answers");
    }
    for (const Place place : slice) waiting.erase({place.run, place.step});
  }
  size_t steps = 0;
  for (const Run& run : batch) steps += run.plan->steps.size();
  Require(seen.size() == steps, "every step is done");
}

}  // namespace

void CheckCarriedOut(const Batch& batch, size_t requests_max, size_t frames_max) {
  std::vector<std::vector<Place>> slices = {PlacesByLink(batch)};
  Require(std::ranges::is_sorted(slices[0], {}, [&](Place p) { return StepAt(batch, p).target; }),
          "datagrams leave link by link");
  StepQueue queue;
  Carried carried;
  carried.batch = batch;
  for (Run& run : carried.batch) run.tenure = nullptr;
  queue.Add(std::move(carried));
  while (const auto slice = queue.Next(requests_max, frames_max)) {
    const size_t most = slice->kind == StepKind::kFrame ? frames_max : requests_max;
    Require(!slice->places.empty() && slice->places.size() <= most, "a slice is bounded");
    for (const Place place : slice->places)
      Require(StepAt(batch, place).kind == slice->kind, "a slice has one kind");
    slices.push_back(slice->places);
  }
  Require(queue.empty() && queue.TakeFinished(1).size() == 1, "a batch is finished once");
  CheckOrder(batch, slices);
}

}  // namespace vipd
