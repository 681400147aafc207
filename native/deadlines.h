// The instants at which slots want to be woken: a binary heap that knows where each of its members
// sits, so that restarting one deadline among thousands is a short walk and allocates nothing.
#pragma once

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "plan.h"

namespace vipd {

constexpr Us kNever = std::numeric_limits<Us>::max();

struct Timed {
  SlotId id = 0;
  Us due = kNever;
  size_t heap_at = 0;
};

class Deadlines {
 public:
  void Add(Timed* member) {
    member->heap_at = heap_.size();
    heap_.push_back(member);
    Up(member->heap_at);
  }

  void Remove(Timed* member) {
    const size_t at = member->heap_at;
    Swap(at, heap_.size() - 1);
    heap_.pop_back();
    if (at < heap_.size()) Settle(at);
  }

  void Set(Timed* member, Us due) {
    if (member->due == due) return;
    member->due = due;
    Settle(member->heap_at);
  }

  Us Next() const { return heap_.empty() ? kNever : heap_.front()->due; }
  Timed* First() const { return heap_.empty() ? nullptr : heap_.front(); }

 private:
  // Equal instants go by slot number, so that a run can be repeated exactly.
  bool Before(size_t a, size_t b) const {
    const Timed* x = heap_[a];
    const Timed* y = heap_[b];
    return x->due != y->due ? x->due < y->due : x->id < y->id;
  }

  void Swap(size_t a, size_t b) {
    std::swap(heap_[a], heap_[b]);
    heap_[a]->heap_at = a;
    heap_[b]->heap_at = b;
  }

  void Settle(size_t at) {
    Up(at);
    Down(at);
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

  std::vector<Timed*> heap_;
};

}  // namespace vipd
