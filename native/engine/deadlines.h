// The instants at which slots want to be woken: a binary heap that knows where each of its members
// sits and allocates nothing.
//
// A master's adverts put its heir's deadline off, again and again, and hardly any deadline is ever
// reached. So putting off only notes the new instant in the member; its place in the heap is mended
// when it comes up there. A place is never later than its member's instant.
#pragma once

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "base/plan.h"

namespace vipd {

constexpr Us kNever = std::numeric_limits<Us>::max();

struct Timed {
  SlotId id = 0;
  Us due = kNever;
  Us placed = kNever;  // the instant of its place in the heap
  size_t heap_at = 0;
};

class Deadlines {
 public:
  void Add(Timed* member) {
    member->heap_at = heap_.size();
    member->placed = member->due;
    heap_.push_back({member->due, member});
    Up(member->heap_at);
  }

  void Remove(Timed* member) {
    const size_t at = member->heap_at;
    Swap(at, heap_.size() - 1);
    heap_.pop_back();
    if (at < heap_.size()) {
      Up(at);
      Down(at);
    }
  }

  void Set(Timed* member, Us due) {
    member->due = due;
    if (due >= member->placed) return;
    Put(member);
    Up(member->heap_at);
  }

  Us Next() {
    const Timed* first = First();
    return first == nullptr ? kNever : first->due;
  }

  // Equal instants go by slot number, so that a run can be repeated exactly.
  Timed* First() {
    if (heap_.empty()) return nullptr;
    while (heap_.front().due != heap_.front().member->due) {
      Put(heap_.front().member);
      Down(0);
    }
    return heap_.front().member;
  }

 private:
  // The instant lies beside the member, so that a walk touches no member.
  struct Place {
    Us due;
    Timed* member;
  };

  void Put(Timed* member) { heap_[member->heap_at].due = member->placed = member->due; }

  bool Before(size_t a, size_t b) const {
    const Place& x = heap_[a];
    const Place& y = heap_[b];
    return x.due != y.due ? x.due < y.due : x.member->id < y.member->id;
  }

  void Swap(size_t a, size_t b) {
    std::swap(heap_[a], heap_[b]);
    heap_[a].member->heap_at = a;
    heap_[b].member->heap_at = b;
  }

  void Up(size_t at) {
    while (at > 0 && Before(at, (at - 1) / 2)) {
      Swap(at, (at - 1) / 2);
      at = (at - 1) / 2;
    }
  }

  void Down(size_t at) {
    for (;;) {
      size_t least = at;
      for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_.size(); ++child)
        if (Before(child, least)) least = child;
      if (least == at) return;
      Swap(at, least);
      at = least;
    }
  }

  std::vector<Place> heap_;
};

}  // namespace vipd
