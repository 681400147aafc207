// Frames that keep their distance. Those that share a key (the announcements of every instance on
// an interface, or in a garp_group) leave one at a time, at least their gap apart; the others do
// not pass here.
//
// - What has waited leaves by round, then by its coming: the first announcement of an address
// before
//   the second of any, so that an instance that moves alone waits for one gap at most, however many
//   repeats of others still wait.
// - An equal frame of the same slot and round that waits already is not added again: however often
//   an announcement is provoked, what waits is bounded.
// - What was meant for a lead that is over is dropped when its turn comes, and takes no turn.
//
// No system call and no clock: the engine's thread drives it with the real time and the simulator
// with a virtual one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/plan.h"
#include "engine/deadlines.h"

namespace vipd {

class Pacer {
 public:
  // The gap of the frame that came last is that of all with its key.
  void Add(PacedFrame frame);

  // When `Run` is wanted next; kNever when nothing waits.
  Us NextDeadline() const { return due_; }

  // Hands out what may leave: one frame of each key whose gap is over. `send` answers when it left,
  // or was refused; the gap is counted from there.
  using Send = std::function<Us(const PacedFrame&)>;
  void Run(Us now, const Send& send);

 private:
  using Turn = std::pair<uint32_t, uint64_t>;  // round, number of its coming
  struct Identity {
    SlotId slot;
    const Step* step;
    uint32_t round;
    bool operator<(const Identity& other) const;
  };
  struct Queue {
    Us gap = 0;
    Us next = 0;  // none leaves earlier
    std::map<Turn, PacedFrame> waiting;
    std::map<Identity, Turn> known;
  };

  static Identity IdentityOf(const PacedFrame& frame);
  static bool Stands(const PacedFrame& frame);
  static void Withdraw(Queue* queue, const PacedFrame& frame);
  void SendFirst(Queue* queue, const Send& send);
  void FindDue();

  std::map<std::string, Queue> queues_;
  uint64_t added_ = 0;
  Us due_ = kNever;
};

}  // namespace vipd
