// How one thread's sessions become another's, in another process (engine/bfd_exchange.h). Neither
// needs its main thread for it.
#include <sys/epoll.h>

#include <algorithm>

#include "base/clock.h"
#include "base/epoll.h"
#include "engine/bfd_thread.h"

namespace vipd {

namespace {

bool AreTaken(const Exchange& slots) { return slots.page()->state() == ExchangePage::kTaken; }

}  // namespace

// --- the first ---

void BfdThread::OfferNow(OfferBfd offer) {
  WithdrawNow();
  Deliver();
  bool judged;
  {
    const std::lock_guard lock(mutex_);
    judged = events_.empty();
  }
  if (judged) {
    to_ = std::move(offer.to);
    WatchReadable(epoll_.get(), to_.sessions->to_first(), kExchangeTag);
  }
  offer.agreed->set_value(judged);
}

void BfdThread::WithdrawNow() {
  if (to_.sessions == nullptr || left_ || AreTaken(*to_.slots)) return;
  unjudged_.clear();
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, to_.sessions->to_first(), nullptr);
  to_ = {};
}

// Sends and listens until then, whatever the state of the daemon is worth that was passed: what has
// been raised since goes along.
void BfdThread::GiveIfTaken() {
  if (to_.sessions == nullptr || left_ || !AreTaken(*to_.slots)) return;
  LeaveNow();
}

// Silent from here on, also where the other has seized the sessions.
void BfdThread::LeaveNow() {
  left_ = true;
  Us emptied = MonotonicNow();
  for (const auto& [key, receiver] : receivers_) {
    emptied = std::min(emptied, receiver.empty_at);
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, receiver.fd->get(), nullptr);
  }
  for (const int fd : {timer_.get(), to_.sessions->to_first()})
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  to_.sessions->Give(core_.Tell(), unjudged_, unclaimed_, emptied);
  senders_.clear();
}

// --- the second ---

void BfdThread::TakeIfGiven() {
  if (!AreTaken(*from_.slots)) return;
  BfdExchangePage* page = from_.sessions->page();
  if (page->state == BfdExchangePage::kGiven) return TakeNow();
  const Us now = MonotonicNow();
  if (seize_at_ == kNever) {
    // An interval of the quickest session is not missed for it.
    seize_at_ = now + std::min(options_.given_within, core_.ShortestInterval() / 2);
  }
  if (now < seize_at_) return;
  uint32_t held = BfdExchangePage::kHeld;
  page->state.compare_exchange_strong(held, BfdExchangePage::kSeized);
  TakeNow();
}

void BfdThread::TakeNow() {
  const BfdExchangePage* page = from_.sessions->page();
  Us emptied = 0;
  core_.GoOnFrom(MonotonicNow());
  if (page->state == BfdExchangePage::kGiven) {
    emptied = page->emptied;
    unclaimed_ += page->unclaimed;
    core_.TakeUp(
        from_.sessions->sessions().first(std::min<size_t>(page->sessions, BfdExchange::kSessions)),
        from_.sessions->Unjudged(), before_);
  }
  held_ = false;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, from_.sessions->to_second(), nullptr);
  for (auto& [key, receiver] : receivers_) {
    receiver.empty_at = emptied;
    Watch(key, receiver);
  }
  from_ = {};
}

}  // namespace vipd
