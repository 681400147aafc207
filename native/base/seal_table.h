// Which slots seal what they send, with their keys and the last sequence that each used. It lies in
// memory that the engine and its warden share, which is locked and left out of core dumps: the
// warden seals a resignation when it sends it, with a sequence that no advert of the engine had.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/seal.h"
#include "base/sockets.h"

namespace vipd {

struct SealKey {
  uint8_t id = 0;
  HmacKey key{};
};

// How a slot seals and what it asks of what it hears.
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

  // Null: none has that id.
  const HmacKey* KeyOf(uint8_t id) const;
};

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
  bool Set(SlotId slot, const Seal* seal);

  enum class Outcome : uint8_t {
    kPlain,    // not sealed
    kSealed,   // `out` is what to send
    kWithheld  // its seal is being changed or the PDU is too short: nothing may be sent
  };
  Outcome Apply(SlotId slot, const Step& datagram, Us wall, Bytes* out);

 private:
  struct Entry;
  struct Memory;

  SealTable(UniqueFd fd, Memory* memory) : fd_(std::move(fd)), memory_(memory) {}
  Entry* Find(SlotId slot) const;
  Entry* FindOrTake(SlotId slot);

  UniqueFd fd_;
  Memory* const memory_;
};

// No memory of this process is written into its core dumps from now on, nor into those of the
// programs that it starts: keys pass through JavaScript's memory too.
void KeepMemoryOutOfCores();

}  // namespace vipd
