#include "base/exchange.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <new>

namespace vipd {

namespace {

// The entries begin at a page of their own.
constexpr size_t kHead = 4'096;
constexpr size_t kSize = kHead + Exchange::kEntries * sizeof(ExchangeEntry);
static_assert(sizeof(ExchangePage) <= kHead);

// Entries have nothing else in them. What is taken back and given anew may be written while it is
// read, so each word is read and written whole.
constexpr size_t kWords = sizeof(ExchangeEntry) / sizeof(uint64_t);
using EntryWords = std::array<uint64_t, kWords>;
static_assert(sizeof(EntryWords) == sizeof(ExchangeEntry));

std::atomic_ref<uint64_t> WordOf(ExchangeEntry* entry, size_t at) {
  return std::atomic_ref(reinterpret_cast<uint64_t*>(entry)[at]);
}

void Put(const ExchangeEntry& entry, ExchangeEntry* to) {
  const auto words = std::bit_cast<EntryWords>(entry);
  for (size_t i = 0; i < kWords; ++i) WordOf(to, i).store(words[i], std::memory_order_relaxed);
}

ExchangeEntry Get(ExchangeEntry* from) {
  EntryWords words;
  for (size_t i = 0; i < kWords; ++i) words[i] = WordOf(from, i).load(std::memory_order_relaxed);
  return std::bit_cast<ExchangeEntry>(words);
}

// FNV-1a, by words.
uint64_t DigestOf(std::span<const ExchangeEntry> entries, Us handled) {
  uint64_t h = 0xcbf29ce484222325u ^ entries.size();
  const auto mix = [&h](uint64_t word) {
    h = (h ^ word) * 0x100000001b3u;
    h ^= h >> 29;
  };
  mix(static_cast<uint64_t>(handled));
  for (const ExchangeEntry& entry : entries)
    for (const uint64_t word : std::bit_cast<EntryWords>(entry)) mix(word);
  return h;
}

// A page that is shorter than it is mapped ends the process that reads it.
bool IsExchange(int memory) {
  struct stat file = {};
  return fstat(memory, &file) == 0 && file.st_size == static_cast<off_t>(kSize);
}

}  // namespace

bool ExchangePage::MayAct(ExchangeRole role) {
  uint32_t now = word;
  while (StateIn(now) != kTaken) {
    if (StateIn(now) != kVoid && !word.compare_exchange_weak(now, kVoid)) continue;
    return role == ExchangeRole::kFirst;
  }
  return role == ExchangeRole::kSecond;
}

Exchange::Exchange(UniqueFd memory, UniqueFd to_second, UniqueFd to_first, void* mapped)
    : memory_(std::move(memory)),
      to_second_(std::move(to_second)),
      to_first_(std::move(to_first)),
      page_(static_cast<ExchangePage*>(mapped)),
      entries_(reinterpret_cast<ExchangeEntry*>(static_cast<char*>(mapped) + kHead)) {}

Exchange::~Exchange() { munmap(page_, kSize); }

std::shared_ptr<Exchange> Exchange::Make(OpenFailure* failure) {
  UniqueFd memory(memfd_create("vipd-exchange", MFD_CLOEXEC));
  if (memory.get() < 0 || ftruncate(memory.get(), kSize) < 0) {
    *failure = {memory.get() < 0 ? "memfd_create" : "ftruncate", errno};
    return nullptr;
  }
  const UniqueFd to_second(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const UniqueFd to_first(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (to_second.get() < 0 || to_first.get() < 0) {
    *failure = {"eventfd", errno};
    return nullptr;
  }
  void* page = mmap(nullptr, kHead, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (page == MAP_FAILED) {
    *failure = {"mmap", errno};
    return nullptr;
  }
  new (page) ExchangePage;
  munmap(page, kHead);
  return Open(memory.get(), to_second.get(), to_first.get(), failure);
}

std::shared_ptr<Exchange> Exchange::Open(int memory, int to_second, int to_first,
                                         OpenFailure* failure) {
  const auto copy = [](int fd) { return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 0)); };
  UniqueFd own = copy(memory);
  UniqueFd second = copy(to_second);
  UniqueFd first = copy(to_first);
  if (own.get() < 0 || second.get() < 0 || first.get() < 0) {
    *failure = {"fcntl", errno};
    return nullptr;
  }
  if (!IsExchange(own.get())) {
    *failure = {"exchange", EPROTO};
    return nullptr;
  }
  void* mapped = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, own.get(), 0);
  if (mapped == MAP_FAILED) {
    *failure = {"mmap", errno};
    return nullptr;
  }
  std::shared_ptr<Exchange> opened(
      new Exchange(std::move(own), std::move(second), std::move(first), mapped));
  const ExchangePage* page = opened->page();
  if (page->magic == ExchangePage::kMagic && page->layout == ExchangePage::kLayout) return opened;
  *failure = {"exchange", EPROTO};
  return nullptr;
}

bool Exchange::Write(std::span<const ExchangeEntry> told, Us handled) const {
  if (told.size() > kEntries) return false;
  for (size_t i = 0; i < told.size(); ++i) Put(told[i], entries_ + i);
  page_->count = static_cast<uint32_t>(told.size());
  page_->handled = handled;
  page_->digest = DigestOf(told, handled);
  return true;
}

std::optional<std::vector<ExchangeEntry>> Exchange::Read() const {
  const uint32_t count = page_->count;
  if (count > kEntries) return std::nullopt;
  std::vector<ExchangeEntry> read;
  read.reserve(count);
  for (size_t i = 0; i < count; ++i) read.push_back(Get(entries_ + i));
  if (DigestOf(read, page_->handled) != page_->digest) return std::nullopt;
  return read;
}

ExchangePage* MapExchangePage(int memory, ExchangePage* before) {
  if (before != nullptr) munmap(before, kHead);
  if (!IsExchange(memory)) return nullptr;
  void* mapped = mmap(nullptr, kHead, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  return mapped == MAP_FAILED ? nullptr : static_cast<ExchangePage*>(mapped);
}

void WakeThrough(int eventfd) {
  const uint64_t one = 1;
  // Full (EAGAIN) means that it is readable anyway.
  [[maybe_unused]] const ssize_t n = write(eventfd, &one, sizeof one);
}

}  // namespace vipd
