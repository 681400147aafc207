// How one engine's slots become another's, in another process (base/exchange.h): the first gives
// them between two adverts and is silent, the second takes them and goes on in phase. Neither needs
// its main thread for it.
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <unordered_map>

#include "base/clock.h"
#include "base/epoll.h"
#include "engine/engine.h"

namespace vipd {

namespace {

ExchangePage::State StateOf(const ExchangePage& page) {
  return static_cast<ExchangePage::State>(ExchangePage::StateIn(page.word));
}

bool Change(ExchangePage* page, uint32_t from, uint32_t to) {
  return page->word.compare_exchange_strong(from, to);
}

void TakeWake(int eventfd) {
  uint64_t count;
  [[maybe_unused]] const ssize_t n = read(eventfd, &count, sizeof count);
}

}  // namespace

// --- the first ---

void Engine::OfferNow(OfferExchange offer) {
  const bool first = exchange_ != offer.exchange;
  exchange_ = std::move(offer.exchange);
  offered_at_ = MonotonicNow();
  offered_after_ = offer.acknowledged;
  offering_ = true;
  exchange_->page()->offered = offer.attempt;
  if (!first) return;
  if (warden_.connected()) warden_.Share(exchange_, WardenPort::Role::kFirst);
  WatchReadable(epoll_.get(), exchange_->to_first(), kExchangeTag);
}

void Engine::WithdrawNow(bool for_good) {
  if (exchange_ == nullptr || left_) return;
  offering_ = false;
  ExchangePage* page = exchange_->page();
  if (!for_good) {
    Change(page, ExchangePage::kReady, ExchangePage::kPreparing);
    return;
  }
  page->word = ExchangePage::kVoid;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, exchange_->to_first(), nullptr);
  exchange_.reset();
}

// Nothing is unjudged, on its way to the kernel or waiting for its turn: what the other process
// was told is all that there is.
bool Engine::Quiet(Us now) const {
  if (!taken_.empty() || !answers_.empty() || !flushes_.empty()) return false;
  if (core_->has_events() || core_->raised() != offered_after_) return false;
  if (carrier_->done() != carrier_->given() || paced_.NextDeadline() != kNever) return false;
  const EnginePolicy& policy = options_.policy;
  return core_->NextDeadline() - now >= policy.exchange_room ||
         now - offered_at_ >= policy.exchange_room_patience;
}

bool Engine::WriteExchange() {
  ExchangePage* page = exchange_->page();
  std::vector<ExchangeEntry> told;
  if (!core_->Tell(&told)) return false;
  for (const SlotId slot : core_->Slots())
    if (const SealSequence sequence = SequenceOf(slot); sequence != 0)
      told.push_back({slot, ExchangeEntry::kSequence, sequence, 0, 0, 0});
  if (told.size() > Exchange::kEntries) return false;
  std::ranges::copy(told, exchange_->entries().begin());
  page->count = static_cast<uint32_t>(told.size());
  page->handled = looked_at_;
  return true;
}

// The slots are the other's from the moment in which it takes them. While it does not, nothing is
// done here; when that has lasted for too long, they are taken back.
void Engine::GiveIfQuiet() {
  if (!offering_) return;
  ExchangePage* page = exchange_->page();
  if (StateOf(*page) != ExchangePage::kReady || page->ready_for != page->offered) return;
  const Us now = MonotonicNow();
  if (!looked_at_all_ || !Quiet(now) || !WriteExchange()) return;
  const uint32_t given = ExchangePage::kGiven | (++givings_ << ExchangePage::kStateBits);
  if (!Change(page, ExchangePage::kReady, given)) return;
  WakeThrough(exchange_->to_second());
  const EnginePolicy& policy = options_.policy;
  const Us patience = std::clamp(core_->NextDeadline() - now, policy.exchange_taken_least,
                                 policy.exchange_taken_most);
  for (;;) {
    if (StateOf(*page) == ExchangePage::kTaken) return LeaveNow(now);
    const Us left = now + patience - MonotonicNow();
    if (page->word != given) return;
    if (left <= 0) {
      if (Change(page, given, ExchangePage::kReady)) return;
      continue;
    }
    pollfd taken = {exchange_->to_first(), POLLIN, 0};
    const timespec span = {0, left * 1'000};
    if (ppoll(&taken, 1, &span, nullptr) > 0) TakeWake(exchange_->to_first());
  }
}

// Silent from here on: nothing is received, sent or promised any more.
void Engine::LeaveNow(Us at) {
  left_ = true;
  offering_ = false;
  if (warden_.connected()) {
    warden_.Dismiss();
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, warden_.fd(), nullptr);
    warden_.Disconnect();
    netlink_.Heed(nullptr);
  }
  for (const auto& [id, link] : links_)
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, link->receiver.get(), nullptr);
  for (const int fd : {timer_.get(), monitor_.get(), exchange_->to_first()})
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  Event event;
  event.kind = Event::Kind::kGaveSlots;
  event.at = at;
  core_->Raise(std::move(event));
}

void Engine::TakeExchangeWake() {
  if (exchange_ != nullptr) TakeWake(held_ ? exchange_->to_second() : exchange_->to_first());
}

// What the main thread still asks of an engine that has left.
void Engine::RunAfterLeaving() {
  for (const Command& command : taken_)
    if (const auto* flush = std::get_if<Flush>(&command)) flushed_.push_back(flush->id);
  taken_.clear();
  Deliver();
}

// --- the second ---

void Engine::ReadyNow(ReadyForExchange ready) {
  slots_from_ = std::move(ready.slots);
  ready_for_ = ready.attempt;
}

// With orders for every slot and a warden that has been told of them.
void Engine::SayReady() {
  if (ready_for_ == 0 || !taken_.empty() || !warden_.told()) return;
  ExchangePage* page = exchange_->page();
  page->ready_for = std::exchange(ready_for_, 0);
  Change(page, ExchangePage::kPreparing, ExchangePage::kReady);
  WakeThrough(exchange_->to_first());
}

void Engine::TakeIfGiven() {
  ExchangePage* page = exchange_->page();
  const uint32_t word = page->word;
  if (ExchangePage::StateIn(word) != ExchangePage::kGiven) return;
  const Us now = MonotonicNow();
  const auto entries =
      exchange_->entries().first(std::min<size_t>(page->count, Exchange::kEntries));
  for (const ExchangeEntry& entry : entries) {
    const auto slot = slots_from_.find(entry.slot);
    if (slot == slots_from_.end()) continue;
    if (!core_->TakeUp(entry, slot->second)) {
      Change(page, word, ExchangePage::kVoid);
      return WakeThrough(exchange_->to_first());
    }
    if (entry.kind == ExchangeEntry::kSequence) seals_->GoOnFrom(slot->second, entry.key);
  }
  warden_.Vouch(now);
  const Us handled = page->handled;
  if (!Change(page, word, ExchangePage::kTaken)) return warden_.SleepUntil(kNever);
  held_ = false;
  WakeThrough(exchange_->to_first());
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, exchange_->to_second(), nullptr);
  Event event;
  event.kind = Event::Kind::kTookSlots;
  event.at = now;
  core_->Raise(std::move(event));
  core_->SetWall(WallNow(), now);
  kept_.Replay(handled, [this](LinkId link, const Packet& packet, Us at) {
    core_->Receive(link, packet, at);
  });
  exchange_.reset();
}

}  // namespace vipd
