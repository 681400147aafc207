// How one engine's slots become another's, in another process (base/exchange.h): the first gives
// them between two adverts and is silent, the second takes them and goes on in phase. Neither needs
// its main thread for it.
#include <poll.h>
#include <sys/epoll.h>

#include <utility>

#include "base/clock.h"
#include "base/epoll.h"
#include "engine/engine.h"

namespace vipd {

namespace {

void TakeWake(int eventfd) {
  uint64_t count;
  [[maybe_unused]] const ssize_t n = read(eventfd, &count, sizeof count);
}

Event ExchangeEvent(Event::Kind kind, Us at) {
  Event event;
  event.kind = kind;
  event.at = at;
  return event;
}

}  // namespace

// --- the first ---

void Engine::OfferNow(OfferExchange offer) {
  const auto before = giver_.exchange();
  if (!giver_.Offer(std::move(offer.exchange), offer.attempt, offer.acknowledged, MonotonicNow()))
    return;
  ForgetExchange(before);
  if (warden_.connected()) warden_.Share(giver_.exchange(), ExchangeRole::kFirst);
  WatchReadable(epoll_.get(), giver_.exchange()->to_first(), kExchangeTag);
}

void Engine::ForgetExchange(const std::shared_ptr<Exchange>& exchange) const {
  if (exchange != nullptr) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, exchange->to_first(), nullptr);
}

void Engine::WithdrawNow(bool for_good) {
  if (left_) return;
  if (for_good) ForgetExchange(giver_.exchange());
  giver_.Withdraw(for_good);
}

// Nothing is unjudged, on its way to the kernel or waiting for its turn: what the other process
// was told is all that there is.
bool Engine::Quiet(Us now) const {
  if (!taken_.empty() || !answers_.empty() || !flushes_.empty()) return false;
  if (carrier_->done() != carrier_->given() || paced_.NextDeadline() != kNever) return false;
  return looked_at_all_ && warden_.shared() && giver_.Quiet(core_.get(), now);
}

// The slots are the other's from the moment in which it takes them. While it does not, nothing is
// done here; when that has lasted for too long, they are taken back.
void Engine::GiveIfQuiet() {
  const auto exchange = giver_.exchange();
  if (const char* why = giver_.Over()) {
    ForgetExchange(exchange);
    Event over = ExchangeEvent(Event::Kind::kExchangeOver, MonotonicNow());
    over.detail = why;
    core_->Raise(std::move(over));
    return Deliver();
  }
  const Us now = MonotonicNow();
  if (!giver_.wanted() || !Quiet(now) || !giver_.Give(core_.get(), *seals_, looked_at_, now))
    return;
  // This thread sleeps until then, and for no other reason.
  warden_.SleepUntil(giver_.until());
  WakeThrough(exchange->to_second());
  for (;;) {
    const Us at = MonotonicNow();
    const auto outcome = giver_.Look(at);
    if (outcome == ExchangeGiver::Outcome::kTaken) return LeaveNow(now);
    if (outcome == ExchangeGiver::Outcome::kBack) return;
    const Us left = giver_.until() - at;
    pollfd taken = {exchange->to_first(), POLLIN, 0};
    const timespec span = {left / 1'000'000, left % 1'000'000 * 1'000};
    if (ppoll(&taken, 1, &span, nullptr) > 0) TakeWake(exchange->to_first());
  }
}

// Silent from here on: nothing is received, sent or promised any more.
void Engine::LeaveNow(Us at) {
  left_ = true;
  if (warden_.connected()) {
    warden_.Dismiss();
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, warden_.fd(), nullptr);
    warden_.Disconnect();
    netlink_.Heed(nullptr);
  }
  for (const auto& [id, link] : links_)
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, link->receiver.get(), nullptr);
  for (const int fd : {timer_.get(), monitor_.get()})
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  ForgetExchange(giver_.exchange());
  core_->Raise(ExchangeEvent(Event::Kind::kGaveSlots, at));
}

void Engine::TakeExchangeWake() {
  if (taker_ != nullptr)
    TakeWake(taker_->exchange().to_second());
  else if (giver_.exchange() != nullptr)
    TakeWake(giver_.exchange()->to_first());
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
  if (taker_ != nullptr) taker_->Ready(ready.attempt, std::move(ready.slots));
}

// With orders for every slot and a warden that has been told of them.
void Engine::SayReady() {
  if (!taker_->to_be_said() || !taken_.empty() || !warden_.told()) return;
  taker_->SayReady();
  WakeThrough(taker_->exchange().to_first());
}

void Engine::TakeIfGiven() {
  if (!taker_->given()) return;
  const Us now = MonotonicNow();
  if (!taker_->TakeUp(core_.get(), *seals_)) return WakeThrough(taker_->exchange().to_first());
  warden_.Vouch(now);
  if (!taker_->Take()) return warden_.SleepUntil(kNever);
  WakeThrough(taker_->exchange().to_first());
  when_taken_();
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, taker_->exchange().to_second(), nullptr);
  core_->Release();
  core_->Raise(ExchangeEvent(Event::Kind::kTookSlots, now));
  core_->SetWall(WallNow(), now);
  kept_.Replay(taker_->handled(), [this](LinkId link, const Packet& packet, Us at) {
    core_->ReceiveAgain(link, packet, at);
  });
  taker_.reset();
}

}  // namespace vipd
