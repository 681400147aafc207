// Two cores to which the same happens: one that is there from the beginning, and one whose slots
// become another core's again and again, as those of a process do in an upgrade. Whatever comes out
// of them must be the same.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core_inputs.h"

namespace vipd {

class Twins {
 public:
  explicit Twins(Input* in);
  void Run();

 private:
  // A core, with what its author knows of it. Slot numbers differ by `offset`.
  struct Side {
    std::unique_ptr<Core> core;
    SlotId offset = 0;
    uint64_t taken = 0;  // events of this core
    std::map<SlotId, std::shared_ptr<SlotCounters>> counters;
  };
  struct Asked {
    LinkId link = 0;
    uint8_t vrid = 0;
    OrderFor order;            // the standing one, with the generation of the last
    int64_t stands_since = 0;  // its own
  };

  Side MakeSide(SlotId offset);
  void AddSlotTo(Side* side, SlotId id, const Asked& asked);
  template <typename Act>
  void Both(Act act);

  void Operate();
  void AddSlot();
  void RemoveSlot();
  void GiveOrder();
  void Apply(SlotId id, const Order& order, uint64_t behind);
  void Packet();
  void Renew();
  void Acknowledge();
  void Preempt();
  void LoseMaster();
  void WakeUp();
  void CarryOut();
  void Settle();
  void TakeEvents();
  void Note(const Event& event);

  void PassOn();
  void Adopt(Side* held) const;
  bool IsQuiet();
  void Compare();

  SlotId SomeSlot();

  Input& in_;
  Us now_ = 0;
  Us liveness_;
  Side alone_;
  Side going_on_;
  // Has been told once, and was not the one that goes on yet.
  std::unique_ptr<Side> held_;
  bool stale_ = false;  // its orders are those of an older state
  std::map<SlotId, Asked> slots_;
  std::vector<std::pair<Batch, Batch>> outstanding_;
  SlotId last_slot_ = 0;
  int64_t last_generation_ = 0;
  uint64_t since_ = 0;  // events since the slots changed hands
  SlotId next_offset_ = 100;
};

}  // namespace vipd
