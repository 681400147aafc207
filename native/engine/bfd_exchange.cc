#include "engine/bfd_exchange.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace vipd {

namespace {

// The sessions begin at a page of their own, and the events behind all of them.
constexpr size_t kHead = 4'096;
constexpr size_t kEventsAt = kHead + BfdExchange::kSessions * sizeof(BfdTold);
constexpr size_t kSize = kEventsAt + kBfdEventsMax * sizeof(BfdUnjudged);
static_assert(sizeof(BfdExchangePage) <= kHead);
static_assert(kEventsAt % alignof(BfdUnjudged) == 0);

BfdUnjudged Written(const BfdEvent& event) {
  BfdUnjudged out{};
  out.session = event.session;
  out.expired = event.kind == BfdEvent::Kind::kExpired;
  out.takes_over = !event.takeover.empty();
  out.length = static_cast<uint32_t>(std::min(event.packet.size(), BfdUnjudged::kPacketMax));
  out.at = event.at;
  out.deadline = event.deadline;
  out.expiries = event.expiries;
  if (out.length > 0) memcpy(out.packet, event.packet.data(), out.length);
  return out;
}

BfdEvent Read(const BfdUnjudged& written) {
  BfdEvent event;
  event.session = written.session;
  event.kind = written.expired != 0 ? BfdEvent::Kind::kExpired : BfdEvent::Kind::kPacket;
  // Of that process: those of this one are in its own orders.
  if (written.takes_over != 0) event.takeover.push_back(0);
  event.at = written.at;
  event.deadline = written.deadline;
  event.expiries = written.expiries;
  event.packet.assign(written.packet,
                      written.packet + std::min<size_t>(written.length, BfdUnjudged::kPacketMax));
  return event;
}

}  // namespace

BfdExchange::BfdExchange(UniqueFd memory, UniqueFd to_second, UniqueFd to_first, char* mapped)
    : memory_(std::move(memory)),
      to_second_(std::move(to_second)),
      to_first_(std::move(to_first)),
      page_(reinterpret_cast<BfdExchangePage*>(mapped)),
      sessions_(reinterpret_cast<BfdTold*>(mapped + kHead)),
      events_(reinterpret_cast<BfdUnjudged*>(mapped + kEventsAt)) {}

BfdExchange::~BfdExchange() { munmap(page_, kSize); }

std::shared_ptr<BfdExchange> BfdExchange::Make(OpenFailure* failure) {
  UniqueFd memory(memfd_create("vipd-bfd-exchange", MFD_CLOEXEC));
  if (memory.get() < 0 || ftruncate(memory.get(), kSize) < 0) {
    *failure = {memory.get() < 0 ? "memfd_create" : "ftruncate", errno};
    return nullptr;
  }
  UniqueFd to_second(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  UniqueFd to_first(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (to_second.get() < 0 || to_first.get() < 0) {
    *failure = {"eventfd", errno};
    return nullptr;
  }
  auto made = Map(std::move(memory), std::move(to_second), std::move(to_first), failure);
  if (made != nullptr) new (made->page_) BfdExchangePage;
  return made;
}

std::shared_ptr<BfdExchange> BfdExchange::Open(UniqueFd memory, UniqueFd to_second,
                                               UniqueFd to_first, OpenFailure* failure) {
  struct stat file {};
  if (fstat(memory.get(), &file) < 0 || file.st_size != static_cast<off_t>(kSize)) {
    *failure = {"fstat", EPROTO};
    return nullptr;
  }
  auto opened = Map(std::move(memory), std::move(to_second), std::move(to_first), failure);
  if (opened == nullptr) return nullptr;
  const BfdExchangePage& page = *opened->page();
  if (page.magic == BfdExchangePage::kMagic && page.layout == BfdExchangePage::kLayout)
    return opened;
  *failure = {"mmap", EPROTO};
  return nullptr;
}

std::shared_ptr<BfdExchange> BfdExchange::Map(UniqueFd memory, UniqueFd to_second,
                                              UniqueFd to_first, OpenFailure* failure) {
  void* mapped = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (mapped == MAP_FAILED) {
    *failure = {"mmap", errno};
    return nullptr;
  }
  return std::shared_ptr<BfdExchange>(new BfdExchange(
      std::move(memory), std::move(to_second), std::move(to_first), static_cast<char*>(mapped)));
}

bool BfdExchange::Give(const std::vector<BfdTold>& told, const std::vector<BfdEvent>& unjudged,
                       uint64_t unclaimed, Us emptied) {
  const size_t sessions = std::min(told.size(), kSessions);
  const size_t events = std::min(unjudged.size(), kBfdEventsMax);
  std::copy_n(told.begin(), sessions, sessions_);
  for (size_t i = 0; i < events; ++i) events_[i] = Written(unjudged[i]);
  page_->sessions = static_cast<uint32_t>(sessions);
  page_->events = static_cast<uint32_t>(events);
  page_->unclaimed = unclaimed;
  page_->emptied = emptied;
  uint32_t held = BfdExchangePage::kHeld;
  if (!page_->state.compare_exchange_strong(held, BfdExchangePage::kGiven)) return false;
  WakeThrough(to_second());
  return true;
}

std::vector<BfdEvent> BfdExchange::Unjudged() const {
  std::vector<BfdEvent> out;
  for (const BfdUnjudged& written : events().first(std::min<size_t>(page_->events, kBfdEventsMax)))
    out.push_back(Read(written));
  return out;
}

}  // namespace vipd
