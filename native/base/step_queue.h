// What waits for the kernel: the requests and frames of batches, in the order in which these were
// given. It says which steps are next and knows no system call, so that the simulator answers them
// in virtual time as the kernel does in real time.
//
// - The first frame of each kind in a plan follows the answers of that plan's requests; the others
//   follow when all requests of the batch are answered.
// - What waits for a lead that is over is passed over, so that no request of a lead follows its
//   resignation. Only what takes something away is carried out whatever happens.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "base/plan.h"

namespace vipd {

class StepQueue {
 public:
  // Steps of one kind, all of the first batch.
  struct Slice {
    StepKind kind = StepKind::kNetlink;
    std::vector<Place> places;
  };

  void Add(Carried carried);
  bool empty() const { return jobs_.empty(); }
  // The next steps, at most so many; each counts as handed over. The caller says what became of
  // them (`front`) before it asks again. None: nothing waits.
  std::optional<Slice> Next(size_t requests_max, size_t frames_max);
  // The batch that the last slice belongs to.
  Carried* front() { return &jobs_.front().carried; }
  // Batches of which nothing waits any more.
  std::vector<Carried> TakeFinished(Us now);

 private:
  struct Job {
    Carried carried;
    std::vector<Place> requests;
    std::vector<Place> frames;
    size_t requests_done = 0;
    size_t frames_done = 0;

    bool finished() const {
      return requests_done == requests.size() && frames_done == frames.size();
    }
  };

  static bool Stands(const Job& job, Place place);
  static bool MayFollow(const Job& job, Place frame);

  std::deque<Job> jobs_;
  std::deque<Carried> finished_;
};

}  // namespace vipd
