#include "engine/engine_carrier.h"

#include <algorithm>
#include <utility>

namespace vipd {

bool EngineCarrier::Waits(const Run& run) const {
  if (!HasKernelSteps(*run.plan)) return false;
  return run.repeat == Run::kNoRepeat || !repeating_.contains(run.plan.get());
}

void EngineCarrier::Add(Batch batch) {
  if (batch.empty()) return;
  Carried all;
  all.batch = std::move(batch);
  // What a lead begins or ends with is waited for awake. A repeat, a renewal of addresses for
  // example, has time until it is due again.
  const auto hurries = [&](const Run& run) { return run.repeat == Run::kNoRepeat && Waits(run); };
  if (std::ranges::any_of(all.batch, hurries)) netlink_->Rouse();
  datagrams_.Send(&all);
  for (Run& run : all.batch) run.partial = HasKernelSteps(*run.plan) && !Waits(run);
  auto [now, later] = Split(std::move(all), [&](const Run& run) { return Waits(run); });
  if (!now.batch.empty()) {
    now.Finish(MonotonicNow());
    finished_.push_back(std::move(now));
  }
  if (later.batch.empty()) return;
  for (const Run& run : later.batch)
    if (run.repeat != Run::kNoRepeat) repeating_.insert(run.plan.get());
  ++given_;
  netlink_->Submit(std::move(later));
}

std::vector<Carried> EngineCarrier::TakeFinished() {
  std::vector<Carried> out = std::exchange(finished_, {});
  for (Carried& carried : netlink_->TakeCarried()) {
    ++done_;
    for (const Run& run : carried.batch)
      if (run.repeat != Run::kNoRepeat) repeating_.erase(run.plan.get());
    out.push_back(std::move(carried));
  }
  return out;
}

}  // namespace vipd
