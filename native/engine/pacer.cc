#include "engine/pacer.h"

#include <algorithm>
#include <tuple>

namespace vipd {

// The rounds of one frame lie together.
bool Pacer::Identity::operator<(const Identity& other) const {
  return std::tie(slot, step->target, step->bytes, round) <
         std::tie(other.slot, other.step->target, other.step->bytes, other.round);
}

Pacer::Identity Pacer::IdentityOf(const PacedFrame& frame) {
  return {frame.slot, &frame.step(), frame.step().round};
}

bool Pacer::Stands(const PacedFrame& frame) {
  return frame.tenure == nullptr || !(frame.tenure->over || frame.tenure->left);
}

void Pacer::Add(PacedFrame frame) {
  const Pace& pace = frame.step().pace;
  Queue& queue = queues_[pace.key];
  if (pace.withdrawn) return Withdraw(&queue, frame);
  queue.gap = pace.gap;
  const auto known = queue.known.find(IdentityOf(frame));
  if (known != queue.known.end()) {
    const auto waits = queue.waiting.find(known->second);
    if (Stands(waits->second)) return;
    queue.known.erase(known);
    queue.waiting.erase(waits);
  }
  const Turn turn = {frame.step().round, ++added_};
  // The key of a map points into its frame's plan, which stays where it is.
  queue.known[IdentityOf(frame)] = turn;
  queue.waiting[turn] = std::move(frame);
  due_ = std::min(due_, queue.next);
}

void Pacer::Withdraw(Queue* queue, const PacedFrame& frame) {
  const Identity first = {frame.slot, &frame.step(), 0};
  auto at = queue->known.lower_bound(first);
  while (at != queue->known.end() && at->first.slot == frame.slot &&
         at->first.step->target == frame.step().target &&
         at->first.step->bytes == frame.step().bytes) {
    // The identity's step lives in the plan that the frame holds: it goes last.
    const auto held = queue->waiting.extract(at->second);
    at = queue->known.erase(at);
  }
}

void Pacer::Run(Us now, const Send& send) {
  if (due_ > now) return;
  for (auto& [key, queue] : queues_)
    if (queue.next <= now) SendFirst(&queue, send);
  std::erase_if(queues_, [now](const auto& entry) {
    return entry.second.waiting.empty() && entry.second.next <= now;
  });
  FindDue();
}

// What is over takes no turn.
void Pacer::SendFirst(Queue* queue, const Send& send) {
  while (!queue->waiting.empty()) {
    const PacedFrame frame = std::move(queue->waiting.begin()->second);
    queue->waiting.erase(queue->waiting.begin());
    queue->known.erase(IdentityOf(frame));
    if (!Stands(frame)) continue;
    queue->next = send(frame) + queue->gap;
    return;
  }
}

void Pacer::FindDue() {
  due_ = kNever;
  for (const auto& [key, queue] : queues_)
    if (!queue.waiting.empty()) due_ = std::min(due_, queue.next);
}

}  // namespace vipd
