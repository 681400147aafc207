// Which slots seal what they send, with their keys and the last sequence that each used. It lies in
// memory that the engine and its warden share, which is locked and left out of core dumps: the
// warden seals a resignation when it sends it, with a sequence that no advert of the engine had.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/ah.h"
#include "base/seal.h"
#include "base/sockets.h"

namespace vipd {

struct SealKey {
  uint8_t id = 0;
  HmacKey key{};
};

// The latest trailer of a sender that is known from a process before.
struct SealMark {
  Address sender;
  SealSequence last = 0;
  Us at = -1;           // of its reception, monotonic
  int64_t skew = 0;     // seconds
  bool skewed = false;  // more than half the window, and that has been told
};

// How a slot seals with a trailer and what it asks of what it hears.
struct Seal {
  int family = 4;
  int version = 3;
  uint8_t vrid = 0;
  Address source;
  std::vector<SealKey> keys;
  uint8_t active = 0;       // id of the key that seals
  bool signs = true;        // what is sent is sealed
  bool requires_it = true;  // what is heard has to be
  bool monotonic = false;   // no clock is asked: only growth counts
  int64_t window = 0;       // seconds that the clocks may be apart
  bool unicast = false;     // then only `peers` may send
  std::vector<Address> peers;
  std::vector<SealMark> marks;

  // Null: none has that id.
  const HmacKey* KeyOf(uint8_t id) const;
};
using AnySeal = std::variant<Seal, AhSeal>;

// CLOCK_REALTIME in µs.
Us WallNow();

class SealTable {
 public:
  // More instances than one host can have.
  static constexpr size_t kEntries = 16'384;

  // Makes the memory. None: the call that failed.
  static std::unique_ptr<SealTable> Make(OpenFailure* failure);
  // The same memory in another process.
  static std::unique_ptr<SealTable> Open(int fd);
  ~SealTable();
  SealTable(const SealTable&) = delete;
  SealTable& operator=(const SealTable&) = delete;

  int fd() const { return fd_.get(); }

  // What the slot sends from now on. Its sequence goes on, also if it was gone meanwhile. Null, or
  // a seal that does not sign: what it sends stays as it is. False: there is no room, or no such
  // key.
  bool Set(SlotId slot, const AnySeal* seal);
  // A process before has used that sequence already; 0: none.
  void GoOnFrom(SlotId slot, SealSequence sent) const;
  // The sequence that the slot used last (of AH also: that it heard), 0 for none; null: it never
  // sealed.
  std::atomic<SealSequence>* SequenceOf(SlotId slot) const;

  enum class Outcome : uint8_t {
    kPlain,    // not sealed
    kSealed,   // `out` is what to send
    kPacket,   // `out` is what to send, from the IP header on
    kWithheld  // its seal is being changed or the PDU is too short: nothing may be sent
  };
  // `copy_of`: of AH, which signs the copies of one advert to several peers with one sequence: that
  // of the copy before, or 0. Tells the one that was used.
  Outcome Apply(SlotId slot, const Step& datagram, Us wall, SealSequence* copy_of, Bytes* out);

 private:
  struct Entry;
  struct Memory;

  SealTable(UniqueFd fd, Memory* memory) : fd_(std::move(fd)), memory_(memory) {}
  Entry* Find(SlotId slot) const;
  Entry* FindOrTake(SlotId slot);
  static void PutTrailer(const Entry& entry, SealSequence sequence, const Step& datagram,
                         Bytes* out);

  UniqueFd fd_;
  Memory* const memory_;
};

// Seals the datagrams of a batch in the order in which they leave.
class Sealer {
 public:
  explicit Sealer(SealTable* table) : table_(table) {}

  // `run`: the place of the datagram's run in the batch.
  SealTable::Outcome Apply(uint32_t run, SlotId slot, const Step& datagram, Us wall, Bytes* out);

 private:
  SealTable* const table_;
  int64_t run_ = -1;
  uint32_t round_ = 0;
  SealSequence sequence_ = 0;
};

// No memory of this process is written into its core dumps from now on, nor into those of the
// programs that it starts: keys pass through JavaScript's memory too.
void KeepMemoryOutOfCores();

}  // namespace vipd
