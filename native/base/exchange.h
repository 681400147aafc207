// What two processes of one daemon share while the second takes the place of the first: a page with
// one word that says whose the slots are, and what the first engine knows of them that nothing else
// does (phases, deadlines, sequences). The word is the only arbiter: of both engines and both
// wardens each acts only when its change of the word has succeeded, so at every instant there is
// one that would act, and never two.
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "base/sockets.h"

namespace vipd {

struct ExchangePage {
  enum State : uint32_t {
    kPreparing,  // the second engine has no orders yet
    kReady,      // it has, and its warden is told
    kGiven,      // the first engine is silent and waits; with the number of the giving above
    kTaken,      // the slots are the second engine's, for good
    kVoid        // there will be no exchange
  };
  // The state without the number.
  static constexpr uint32_t kStateBits = 8;
  static uint32_t StateIn(uint32_t word) { return word & ((1u << kStateBits) - 1); }

  std::atomic<uint32_t> word{kPreparing};
  // Which state of the daemon the first process offers, and which the second is ready with.
  std::atomic<uint32_t> offered{0};
  std::atomic<uint32_t> ready_for{0};
  // Written by the first engine before it gives. Packets that it read before `handled` are done.
  Us handled = 0;
  uint32_t count = 0;
};

// One thing that the first engine knows of a slot.
struct ExchangeEntry {
  enum Kind : uint32_t {
    kFollow,   // a: deadline, b: until when it listens on its own account, c: when that was set
    kRepeat,   // key: of the repeat, a: when it is due, b: how often still
    kCounts,   // key: adverts sent, a: last sent, b: last received, c: last expected
    kSequence  // key: the sequence that its seal used last
  };

  SlotId slot = 0;
  Kind kind = kFollow;
  uint64_t key = 0;
  Us a = 0;
  Us b = 0;
  Us c = 0;
};

class Exchange {
 public:
  // Several for each of more slots than one host can have; untouched memory costs nothing.
  static constexpr size_t kEntries = 1u << 18;

  // For the first process: makes the memory and what wakes. Null: the call that failed.
  static std::shared_ptr<Exchange> Make(OpenFailure* failure);
  // For the second one, from the descriptors that it was started with; they are its own from then
  // on.
  static std::shared_ptr<Exchange> Open(int memory, int to_second, int to_first,
                                        OpenFailure* failure);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  int memory() const { return memory_.get(); }
  // Descriptors of eventfd(2), each read by one of the two.
  int to_second() const { return to_second_.get(); }
  int to_first() const { return to_first_.get(); }
  ExchangePage* page() const { return page_; }
  std::span<ExchangeEntry> entries() const { return {entries_, kEntries}; }

 private:
  Exchange(UniqueFd memory, UniqueFd to_second, UniqueFd to_first, void* mapped);

  UniqueFd memory_;
  UniqueFd to_second_;
  UniqueFd to_first_;
  ExchangePage* page_;
  ExchangeEntry* entries_;
};

// For a warden: the page alone, for as long as the process lives. Null: it cannot be mapped.
ExchangePage* MapExchangePage(int memory);

void WakeThrough(int eventfd);

}  // namespace vipd
