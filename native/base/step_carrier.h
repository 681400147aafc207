// Hands requests to the kernel and frames to the wire. A request waits for the kernel's rtnl lock,
// for as long as another holds it: only a thread that may wait calls `Continue`.
#pragma once

#include <utility>
#include <vector>

#include "base/sockets.h"
#include "base/step_queue.h"

struct nlmsghdr;

namespace vipd {

class StepCarrier {
 public:
  // Requests in one send: their answers fit into the receive buffer, and the kernel is done in
  // about a millisecond.
  static constexpr size_t kRequestsMax = 64;

  // Both sockets, or the call that failed.
  std::optional<OpenFailure> Open();

  void Add(Carried carried) { queue_.Add(std::move(carried)); }
  bool busy() const { return !queue_.empty(); }
  // One slice of what waits: some requests in one send and their answers, or some frames.
  void Continue();
  std::vector<Carried> TakeFinished();
  // Frames that are to keep their distance, in order: to be sent by the caller at their turn.
  std::vector<PacedFrame> TakePaced() { return std::exchange(paced_, {}); }

 private:
  void SendRequests(const std::vector<Place>& places);
  void SendFrames(const std::vector<Place>& places);
  int ReadAnswers(const std::vector<Place>& places, uint32_t first_sequence,
                  std::vector<bool>* answered);
  void TakeAnswer(const std::vector<Place>& places, uint32_t first_sequence, const nlmsghdr* header,
                  std::vector<bool>* answered);

  UniqueFd route_;
  UniqueFd frames_;
  StepQueue queue_;
  std::vector<PacedFrame> paced_;
  uint32_t sequence_ = 0;
  size_t requests_per_send_ = kRequestsMax;
  Bytes requests_;
};

}  // namespace vipd
