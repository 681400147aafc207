#include "base/exchange.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>

namespace vipd {

namespace {

// The entries begin at a page of their own.
constexpr size_t kHead = 4'096;
constexpr size_t kSize = kHead + Exchange::kEntries * sizeof(ExchangeEntry);
static_assert(sizeof(ExchangePage) <= kHead);

}  // namespace

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
  auto made = Open(memory.get(), to_second.get(), to_first.get(), failure);
  if (made != nullptr) new (made->page_) ExchangePage;
  return made;
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
  void* mapped = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, own.get(), 0);
  if (mapped == MAP_FAILED) {
    *failure = {"mmap", errno};
    return nullptr;
  }
  return std::shared_ptr<Exchange>(
      new Exchange(std::move(own), std::move(second), std::move(first), mapped));
}

ExchangePage* MapExchangePage(int memory) {
  void* mapped = mmap(nullptr, kHead, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  return mapped == MAP_FAILED ? nullptr : static_cast<ExchangePage*>(mapped);
}

void WakeThrough(int eventfd) {
  const uint64_t one = 1;
  // Full (EAGAIN) means that it is readable anyway.
  [[maybe_unused]] const ssize_t n = write(eventfd, &one, sizeof one);
}

}  // namespace vipd
