#include "base/step_queue.h"

#include <utility>

namespace vipd {

void StepQueue::Add(Carried carried) {
  Job& job = jobs_.emplace_back();
  job.requests = RequestPlaces(carried.batch);
  job.frames = FramePlaces(carried.batch);
  job.carried = std::move(carried);
}

bool StepQueue::Stands(const Job& job, Place place) {
  const Run& run = job.carried.batch[place.run];
  if (run.tenure == nullptr || !run.tenure->over) return true;
  return TakesAway(StepAt(job.carried.batch, place));
}

bool StepQueue::MayFollow(const Job& job, Place frame) {
  if (job.requests_done == job.requests.size()) return true;
  const bool first = StepAt(job.carried.batch, frame).round == 0;
  return first && frame.run < job.requests[job.requests_done].run;
}

std::optional<StepQueue::Slice> StepQueue::Next(size_t requests_max, size_t frames_max) {
  while (!jobs_.empty()) {
    Job& job = jobs_.front();
    Slice slice;
    slice.kind = StepKind::kFrame;
    const auto take = [&](Place place) {
      if (Stands(job, place)) slice.places.push_back(place);
    };
    while (job.frames_done < job.frames.size() && slice.places.size() < frames_max &&
           MayFollow(job, job.frames[job.frames_done]))
      take(job.frames[job.frames_done++]);
    if (!slice.places.empty()) return slice;
    slice.kind = StepKind::kNetlink;
    while (job.requests_done < job.requests.size() && slice.places.size() < requests_max)
      take(job.requests[job.requests_done++]);
    if (!slice.places.empty()) return slice;
    if (!job.finished()) continue;
    finished_.push_back(std::move(job.carried));
    jobs_.pop_front();
  }
  return std::nullopt;
}

std::vector<Carried> StepQueue::TakeFinished(Us now) {
  std::vector<Carried> out;
  // What is handed over and answered need not wait for the next request.
  while (!jobs_.empty() && jobs_.front().finished()) {
    finished_.push_back(std::move(jobs_.front().carried));
    jobs_.pop_front();
  }
  for (Carried& carried : std::exchange(finished_, {})) {
    carried.Finish(now);
    out.push_back(std::move(carried));
  }
  return out;
}

}  // namespace vipd
