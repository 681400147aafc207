// What two processes of one daemon share while the second takes the place of the first: a page with
// one word that says whose the slots are, and what the first engine knows of them that nothing else
// does (phases, deadlines, sequences). The word is the only arbiter: of both engines and both
// wardens each acts only when its change of the word has succeeded, so at every instant there is
// one that would act, and never two. Instants are µs on CLOCK_MONOTONIC, which both processes of a
// host share.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/sockets.h"

namespace vipd {

// Of the two processes: the one that has the slots, and the one that is to have them.
enum class ExchangeRole : uint8_t { kFirst, kSecond };

struct ExchangePage {
  enum State : uint32_t {
    kPreparing,  // the second engine has no orders yet
    kReady,      // it has, and its warden is told
    kGiven,      // the first engine is silent and waits; with the number of the giving above
    kTaken,      // the slots are the second engine's, for good
    kVoid        // there will be no exchange; with the refusal above
  };
  // Why the second engine made the word void; none of a word that a warden made void.
  enum Refusal : uint32_t {
    kNotRefused,
    kDamaged,   // what lies in the page is not what the first engine wrote
    kOtherwise  // a slot that it has orders for stands otherwise
  };
  // The state without what is above it.
  static constexpr uint32_t kStateBits = 8;
  static uint32_t StateIn(uint32_t word) { return word & ((1u << kStateBits) - 1); }
  static uint32_t RefusalIn(uint32_t word) { return word >> kStateBits; }
  static uint32_t Void(Refusal why) { return kVoid | (why << kStateBits); }

  // What the memory is, for a process of another version, which would read it by its own layout.
  // Another number for each change of this page or of its entries.
  static constexpr uint64_t kMagic = 0x76697064'65786368u;
  static constexpr uint32_t kLayout = 2;
  uint64_t magic = kMagic;
  uint32_t layout = kLayout;

  std::atomic<uint32_t> word{kPreparing};
  // Which state of the daemon the first process offers, and which the second is ready with.
  std::atomic<uint32_t> offered{0};
  std::atomic<uint32_t> ready_for{0};
  // Written by the first engine before it gives. Packets that it read before `handled` are done.
  // `count`: entries, at most Exchange::kEntries; `digest`: of these entries and of `handled`.
  std::atomic<Us> handled{0};
  std::atomic<uint32_t> count{0};
  std::atomic<uint64_t> digest{0};

  // False: the word is not `from`, and stays as it is.
  bool Change(uint32_t from, uint32_t to) { return word.compare_exchange_strong(from, to); }
  State state() const { return static_cast<State>(StateIn(word)); }
  // For a warden whose daemon is gone or does not answer: whether it may act. By asking, the word
  // is decided for good: the first one's warden acts once there can be no exchange any more, the
  // second one's when it has taken place. Does not block; from any process that has mapped the
  // page.
  bool MayAct(ExchangeRole role);
};

// One thing that the first engine knows of a slot.
struct ExchangeEntry {
  enum Kind : uint32_t {
    kFollow,    // key: flags, a: deadline, b: until when it listens on its own account, c: when the
                // deadline was set, d: when what it asks is due
    kRepeat,    // key: of the repeat, a: when it is due, b: how often still, c: what failed last
    kLead,      // a: before the last advert of this lead was sent
    kCounts,    // key: adverts sent, a: last sent, b: last received, c: last expected, d: received
    kSequence,  // key: the sequence that its seal used last
    kMark       // key: the latest sequence of a sender, a and b: its address, c: when it was heard,
                // d: its skew, e: octets of the address; 256 and more: the skew has been told
  };
  // Of a follow: it has listened once more already, waited for the main thread already, and has
  // heard something.
  static constexpr uint64_t kListened = 1;
  static constexpr uint64_t kAwaited = 2;
  static constexpr uint64_t kHeardOne = 4;

  SlotId slot = 0;
  Kind kind = kFollow;
  uint64_t key = 0;
  Us a = 0;
  Us b = 0;
  Us c = 0;
  Us d = 0;
  Us e = 0;
};

class Exchange {
 public:
  // Several for each of more slots than one host can have. 56 octets each, 14 MiB in all, of which
  // what is never written costs no memory.
  static constexpr size_t kEntries = 1u << 18;

  // For the first process: makes the memory and what wakes. Null: the call that failed
  // (memfd_create, ftruncate, eventfd, mmap or fcntl) and its errno.
  static std::shared_ptr<Exchange> Make(OpenFailure* failure);
  // For the second one, from the descriptors that it was started with; they are its own from then
  // on: it copies them (fcntl). Memory of another layout is refused (EPROTO of "exchange"), as is a
  // file of another size: what is shorter than it is mapped would end the process (SIGBUS).
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

  // By the first engine, before it gives: false when there are more than kEntries, and nothing is
  // written.
  bool Write(std::span<const ExchangeEntry> told, Us handled) const;
  // By the second engine, of what was given; nothing when it is not what was written. What is
  // written anew meanwhile is not given any more, which changing the word shows.
  std::optional<std::vector<ExchangeEntry>> Read() const;

 private:
  Exchange(UniqueFd memory, UniqueFd to_second, UniqueFd to_first, void* mapped);

  UniqueFd memory_;
  UniqueFd to_second_;
  UniqueFd to_first_;
  ExchangePage* page_;
  ExchangeEntry* entries_;
};

// For a warden: the page alone, in place of one that it mapped `before`, or null. Null: it cannot
// be mapped, or is none.
ExchangePage* MapExchangePage(int memory, ExchangePage* before);

// Adds one to an eventfd(2) that does not block; what cannot be added is readable anyway.
void WakeThrough(int eventfd);

}  // namespace vipd
