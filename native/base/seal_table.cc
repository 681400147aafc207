#include "base/seal_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vipd {

namespace {

// core(5): the pages with ELF headers and no others.
constexpr char kHeadersOnly[] = "0x10";

// RFC 1071, not yet complemented.
uint32_t Sum(std::span<const uint8_t> octets, uint32_t sum) {
  for (size_t i = 0; i < octets.size(); ++i)
    sum += i % 2 == 0 ? uint32_t{octets[i]} << 8 : uint32_t{octets[i]};
  return sum;
}

// IPv6: the checksum covers all that is sent, trailer included (RFC 8200 section 8.1).
void PutChecksum6(const SealPrefix& prefix, const Address& to, Bytes* packet) {
  (*packet)[kChecksumAt] = (*packet)[kChecksumAt + 1] = 0;
  uint32_t sum = Sum(std::span(prefix).subspan(4), 0);
  sum = Sum({to.octets.data(), to.length}, sum);
  sum += static_cast<uint32_t>(packet->size()) + kVrrpProtocol;
  sum = Sum(*packet, sum);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  (*packet)[kChecksumAt] = static_cast<uint8_t>(~sum >> 8);
  (*packet)[kChecksumAt + 1] = static_cast<uint8_t>(~sum);
}

}  // namespace

const HmacKey* Seal::KeyOf(uint8_t id) const {
  const auto found = std::ranges::find(keys, id, &SealKey::id);
  return found == keys.end() ? nullptr : &found->key;
}

Us WallNow() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<Us>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

void KeepMemoryOutOfCores() {
  const int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t n = write(fd, kHeadersOnly, sizeof kHeadersOnly - 1);
  close(fd);
}

// Written by the engine's thread alone but for `last`, of which the warden takes its share.
struct alignas(64) SealTable::Entry {
  enum Use : uint32_t { kPlain, kChanging, kTrailer, kHeader };

  std::atomic<int64_t> slot{0};  // and 1; 0: not taken yet
  std::atomic<uint32_t> use{kPlain};
  std::atomic<SealSequence> last{0};
  uint32_t counted_by{kPlain};  // the use that `last` is of
  HmacKey key;
  SealPrefix prefix;
  uint8_t key_id;
  bool monotonic;
  int64_t window;
  AhSeal ah;

  SealSequence Next(Us wall);
  SealSequence NextOfHeader(Us wall);
};

// Zeros at the beginning, as the kernel gives them, so that untouched pages cost nothing.
struct SealTable::Memory {
  std::array<Entry, kEntries> entries;
};

// Later than the last one, by the clock where that is later. A clock that was far ahead and is set
// right again must not be followed for ever, unless only growth counts.
SealSequence SealTable::Entry::Next(Us wall) {
  const SealSequence reading = SequenceAt(wall);
  SealSequence before = last.load();
  SealSequence next;
  do {
    const bool ahead = !monotonic && SecondsOf(before) - SecondsOf(reading) > window;
    next = before == 0 || ahead || Later(reading, before) ? reading : before + 1;
  } while (!last.compare_exchange_weak(before, next));
  return next;
}

// One more than the last that was sent or heard. Before any: the seconds of the clock, which is
// more than this host has sent before it was started again, so that routers that remember believe
// it.
SealSequence SealTable::Entry::NextOfHeader(Us wall) {
  SealSequence before = last.load();
  SealSequence next;
  do {
    next = before == 0 ? SequenceAt(wall) >> 32 : before + 1;
    next = std::max<uint32_t>(static_cast<uint32_t>(next), 1);
  } while (!last.compare_exchange_weak(before, next));
  return next;
}

std::unique_ptr<SealTable> SealTable::Make(OpenFailure* failure) {
  UniqueFd fd(memfd_create("vipd-seals", MFD_CLOEXEC));
  if (fd.get() < 0 || ftruncate(fd.get(), sizeof(Memory)) < 0) {
    *failure = {fd.get() < 0 ? "memfd_create" : "ftruncate", errno};
    return nullptr;
  }
  auto table = Open(fd.get());
  if (table == nullptr) *failure = {"mmap", errno};
  return table;
}

std::unique_ptr<SealTable> SealTable::Open(int from) {
  UniqueFd fd(fcntl(from, F_DUPFD_CLOEXEC, 16));
  void* mapped = mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return nullptr;
  madvise(mapped, sizeof(Memory), MADV_DONTDUMP);
  // Pages are locked as they are touched. Where it is not permitted, a key may be swapped out.
  mlock2(mapped, sizeof(Memory), MLOCK_ONFAULT);
  return std::unique_ptr<SealTable>(new SealTable(std::move(fd), static_cast<Memory*>(mapped)));
}

SealTable::~SealTable() { munmap(memory_, sizeof(Memory)); }

SealTable::Entry* SealTable::Find(SlotId slot) const {
  const int64_t wanted = int64_t{slot} + 1;
  for (size_t i = 0; i < kEntries; ++i) {
    Entry& entry = memory_->entries[(static_cast<size_t>(slot) + i) % kEntries];
    if (entry.slot == wanted) return &entry;
    if (entry.slot == 0) return nullptr;
  }
  return nullptr;
}

// An entry is kept when its slot is gone, with the sequence: the slot may come back on other
// sockets. Only when all are taken is one used again that seals nothing.
SealTable::Entry* SealTable::FindOrTake(SlotId slot) {
  if (Entry* known = Find(slot)) return known;
  for (const bool again : {false, true}) {
    for (size_t i = 0; i < kEntries; ++i) {
      Entry& entry = memory_->entries[(static_cast<size_t>(slot) + i) % kEntries];
      if (entry.slot != 0 && (!again || entry.use != Entry::kPlain)) continue;
      entry.last = 0;
      entry.slot = int64_t{slot} + 1;
      return &entry;
    }
  }
  return nullptr;
}

bool SealTable::Set(SlotId slot, const AnySeal* any) {
  const Seal* seal = any == nullptr ? nullptr : std::get_if<Seal>(any);
  const AhSeal* ah = any == nullptr ? nullptr : std::get_if<AhSeal>(any);
  const bool signs = ah != nullptr || (seal != nullptr && seal->signs);
  Entry* entry = signs ? FindOrTake(slot) : Find(slot);
  if (entry == nullptr) return !signs;
  entry->use = Entry::kChanging;
  entry->key = {};
  entry->ah = {};
  const Entry::Use use = !signs ? Entry::kPlain : ah != nullptr ? Entry::kHeader : Entry::kTrailer;
  if (signs && std::exchange(entry->counted_by, use) != use) entry->last = 0;
  if (ah != nullptr) entry->ah = *ah;
  if (seal != nullptr && signs) {
    const HmacKey* key = seal->KeyOf(seal->active);
    if (key == nullptr) return false;  // stays withheld
    entry->key = *key;
    entry->key_id = seal->active;
    entry->prefix = MakeSealPrefix(seal->family, seal->version, seal->vrid, seal->source);
    entry->monotonic = seal->monotonic;
    entry->window = seal->window;
  }
  entry->use = use;
  return true;
}

void SealTable::GoOnFrom(SlotId slot, SealSequence sent) const {
  Entry* entry = Find(slot);
  if (entry == nullptr || sent == 0) return;
  SealSequence before = entry->last.load();
  while (before < sent && !entry->last.compare_exchange_weak(before, sent)) {
  }
}

std::atomic<SealSequence>* SealTable::SequenceOf(SlotId slot) const {
  Entry* entry = Find(slot);
  return entry == nullptr ? nullptr : &entry->last;
}

void SealTable::PutTrailer(const Entry& entry, SealSequence sequence, const Step& datagram,
                           Bytes* out) {
  const Bytes& pdu = datagram.bytes;
  std::array<uint8_t, kSealedOctets> sealed = {kTrailerType, entry.key_id, 0, 0};
  for (size_t i = 0; i < 8; ++i) sealed[4 + i] = static_cast<uint8_t>(sequence >> (56 - 8 * i));
  const Mac mac = SealMac(entry.key, entry.prefix, pdu, sealed);
  out->assign(pdu.begin(), pdu.end());
  out->insert(out->end(), sealed.begin(), sealed.end());
  out->insert(out->end(), mac.begin(), mac.end());
  if (datagram.to.length == 16) PutChecksum6(entry.prefix, datagram.to, out);
}

SealTable::Outcome SealTable::Apply(SlotId slot, const Step& datagram, Us wall,
                                    SealSequence* copy_of, Bytes* out) {
  Entry* entry = Find(slot);
  if (entry == nullptr || entry->use == Entry::kPlain) return Outcome::kPlain;
  if (entry->use == Entry::kChanging || datagram.bytes.size() < kHeaderOctets)
    return Outcome::kWithheld;
  if (entry->use == Entry::kTrailer) {
    PutTrailer(*entry, *copy_of = entry->Next(wall), datagram, out);
    return Outcome::kSealed;
  }
  if (*copy_of == 0) *copy_of = entry->NextOfHeader(wall);
  PutAhPacket(entry->ah, datagram.to, static_cast<uint32_t>(*copy_of), datagram.bytes, out);
  return Outcome::kPacket;
}

// The same advert to another address is a copy; to one that had it, it is the next advert.
SealTable::Outcome Sealer::Apply(uint32_t run, SlotId slot, const Step& datagram, Us wall,
                                 Bytes* out) {
  if (run_ != run || round_ != datagram.round) sequence_ = 0;
  run_ = run;
  round_ = datagram.round;
  return table_->Apply(slot, datagram, wall, &sequence_, out);
}

}  // namespace vipd
