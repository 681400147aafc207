// What two processes of one daemon share for their BFD sessions while the second takes the place of
// the first (base/exchange.h has the engine's part, and the word that decides). The sessions follow
// the slots: until these are taken the first process goes on sending and listening, then its thread
// writes what it alone knows, and falls silent; the second goes on from there. Both send through
// the same sockets, so that the other end sees one source port and no packet is lost in between.
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "base/exchange.h"
#include "engine/bfd_core.h"

namespace vipd {

struct BfdExchangePage {
  enum State : uint32_t {
    kHeld,   // the first thread goes on
    kGiven,  // it is silent, and what it knew is written below
    kSeized  // it did not give in time: the second goes on without what it knew
  };

  // Another number for each change of this page, or of what lies behind it.
  static constexpr uint64_t kMagic = 0x76697064'2d626664u;
  static constexpr uint32_t kLayout = 1;
  uint64_t magic = kMagic;
  uint32_t layout = kLayout;

  std::atomic<uint32_t> state{kHeld};
  uint32_t sessions = 0;
  uint32_t events = 0;
  uint64_t unclaimed = 0;
  // All that lies in the receivers has arrived since.
  Us emptied = 0;
};

// An event that the first process has not judged.
struct BfdUnjudged {
  // What the thread reads of a packet: one with the longest authentication has 52 octets.
  static constexpr size_t kPacketMax = 256;

  SessionId session;
  uint32_t expired;  // 0: a packet
  uint32_t takes_over;
  uint32_t length;
  Us at;
  Us deadline;
  uint64_t expiries;
  uint8_t packet[kPacketMax];
};

class BfdExchange {
 public:
  // More than there are source ports.
  static constexpr size_t kSessions = 1u << 16;

  // For the first process: makes the memory and what wakes. Null: the call that failed
  // (memfd_create, ftruncate, eventfd or mmap) and its errno.
  static std::shared_ptr<BfdExchange> Make(OpenFailure* failure);
  // For the second one, from descriptors that it was sent. Memory of another layout is refused
  // (EPROTO), as is any other file.
  static std::shared_ptr<BfdExchange> Open(UniqueFd memory, UniqueFd to_second, UniqueFd to_first,
                                           OpenFailure* failure);
  ~BfdExchange();
  BfdExchange(const BfdExchange&) = delete;
  BfdExchange& operator=(const BfdExchange&) = delete;

  int memory() const { return memory_.get(); }
  // Descriptors of eventfd(2), each read by one of the two.
  int to_second() const { return to_second_.get(); }
  int to_first() const { return to_first_.get(); }
  BfdExchangePage* page() const { return page_; }
  std::span<BfdTold> sessions() const { return {sessions_, kSessions}; }
  std::span<BfdUnjudged> events() const { return {events_, kBfdEventsMax}; }

  // The first: written, then given. False: the second has seized them.
  bool Give(const std::vector<BfdTold>& told, const std::vector<BfdEvent>& unjudged,
            uint64_t unclaimed, Us emptied);
  // The second: what was not judged, in its order.
  std::vector<BfdEvent> Unjudged() const;

 private:
  static std::shared_ptr<BfdExchange> Map(UniqueFd memory, UniqueFd to_second, UniqueFd to_first,
                                          OpenFailure* failure);
  BfdExchange(UniqueFd memory, UniqueFd to_second, UniqueFd to_first, char* mapped);

  UniqueFd memory_;
  UniqueFd to_second_;
  UniqueFd to_first_;
  BfdExchangePage* page_;
  BfdTold* sessions_;
  BfdUnjudged* events_;
};

}  // namespace vipd
