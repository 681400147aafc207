#include "engine/engine.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "base/epoll.h"
#include "base/realtime.h"
#include "engine/inbox.h"

namespace vipd {

namespace {

// How much one system call takes at most; what is left comes with the next.
constexpr int kReadyMax = 256;
// Notifications read before the sockets and deadlines are looked at again.
constexpr int kMonitorReadsMax = 1'024;

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};

}  // namespace

Engine::Engine(EngineOptions options, std::function<void()> notify)
    : options_(options),
      notify_(std::move(notify)),
      netlink_([this] { Wake(); }),
      paced_([this](Event event) { core_->Raise(std::move(event)); }),
      inbox_(std::make_unique<Inbox>()),
      giver_(options_.policy),
      taker_(options_.succeeds == nullptr ? nullptr
                                          : std::make_unique<ExchangeTaker>(options_.succeeds)),
      kept_(options_.policy.exchange_kept) {}

Engine::~Engine() {
  Stop(false);
  delete outbox_.exchange(nullptr);
}

void Engine::Run() {
  while (!stopping_) {
    Poll(taken_.empty() && answers_.empty() ? -1 : 0);
    if (left_) {
      RunAfterLeaving();
      continue;
    }
    if (held()) TakeIfGiven();
    if (!held()) Fire();
    if (!shut_.empty()) ReopenGates(MonotonicNow());
    CarryOut();
    TakeAnswers();
    if (RealtimeLost()) core_->Raise(Event::Of(Event::Kind::kRealtimeLost, 0, 0));
    Deliver();
    if (held()) SayReady();
    GiveIfQuiet();
    if (left_)
      Deliver();
    else
      Arm();
  }
  if (orderly_) warden_.Dismiss();
  warden_.Disconnect();
}

void Engine::CarryOut() {
  // What became of a batch may end a lead.
  do {
    carrier_->Add(core_->TakeBatch());
    for (Flushing& flush : flushes_)
      if (!flush.after.has_value()) flush.after = carrier_->given();
    TellWarden();
    for (const Carried& carried : carrier_->TakeFinished())
      core_->Settle(carried.batch, carried.failures);
  } while (core_->has_batch());
  // After the adverts, and when it is known which leads are over.
  for (PacedFrame& frame : netlink_.TakePaced()) paced_.Add(std::move(frame));
  paced_.Run(MonotonicNow());
}

// Orders first, so that packets meet the state that TypeScript wants by now.
void Engine::Poll(int timeout_ms) {
  std::array<epoll_event, kReadyMax> ready;
  const int n = epoll_wait(epoll_.get(), ready.data(), kReadyMax, timeout_ms);
  if (n < 0 && errno != EINTR) abort();
  looked_at_ = MonotonicNow();
  looked_at_all_ = n < kReadyMax;
  WakeUp();
  uint64_t count;
  for (int i = 0; i < n; ++i) {
    if (ready[i].data.u64 != kWakeTag) continue;
    [[maybe_unused]] const ssize_t read_bytes = read(wake_.get(), &count, sizeof count);
    TakeCommands();
  }
  if (left_) return;
  CarrySome();
  for (int i = 0; i < n; ++i) {
    const uint64_t tag = ready[i].data.u64;
    if (tag == kTimerTag) {
      [[maybe_unused]] const ssize_t read_bytes = read(timer_.get(), &count, sizeof count);
      armed_ = kNever;
    } else if (tag == kMonitorTag) {
      DrainMonitor();
    } else if (tag == kWardenTag) {
      const bool gone = (ready[i].events & (EPOLLHUP | EPOLLERR)) != 0;
      if (warden_.connected() && (gone || !warden_.Listen())) LoseWarden();
    } else if (tag == kExchangeTag) {
      TakeExchangeWake();
    } else if (tag < kWakeTag) {
      const auto link = links_.find(static_cast<LinkId>(tag));
      if (link != links_.end()) Drain(*link->second);
    }
  }
}

// Before anything else: after a stop the warden may have given up what we led.
void Engine::WakeUp() {
  // What it could have given up is not ours yet, or not any more.
  if (held() || left_) return;
  const Us now = MonotonicNow();
  if (!warden_.Awake(now)) return;
  // The netlink thread hands nothing over while the warden's mark stands: when it is taken away, it
  // is known which leads are over.
  core_->PreemptedByWarden(now);
  warden_.TakeNote();
}

void Engine::MeetWardenNow(const StartedWarden& started) {
  LoseWarden();
  warden_.Connect(started);
  if (held())
    warden_.Share(options_.succeeds, ExchangeRole::kSecond);
  else if (giver_.exchange() != nullptr)
    warden_.Share(giver_.exchange(), ExchangeRole::kFirst);
  netlink_.Heed(started.page);
  if (!WatchReadable(epoll_.get(), warden_.fd(), kWardenTag)) return LoseWarden();
  for (const auto& [id, link] : links_) warden_.AddLink(link);
  for (const SlotId slot : core_->Slots()) UpdateWarden(slot);
}

// After the adverts have left, before the addresses follow.
void Engine::UpdateWarden(SlotId slot) {
  const auto name = names_.find(slot);
  warden_.Update(slot, core_->StandingOf(slot), name == names_.end() ? "" : name->second);
}

void Engine::TellWarden() {
  for (const SlotId slot : core_->TakeTouched()) UpdateWarden(slot);
  if (!warden_.connected()) return;
  if (!warden_.Flush()) return LoseWarden();
  if (warden_.backlog() == warden_backlog_) return;
  warden_backlog_ = warden_.backlog();
  epoll_event event{};
  event.events = EPOLLIN;
  if (warden_backlog_) event.events |= EPOLLOUT;
  event.data.u64 = kWardenTag;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, warden_.fd(), &event);
}

void Engine::LoseWarden() {
  if (!warden_.connected()) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, warden_.fd(), nullptr);
  const Us now = MonotonicNow();
  if (warden_.Disconnect()) core_->PreemptedByWarden(now);
  netlink_.Heed(nullptr);
  warden_backlog_ = false;
  Event event;
  event.kind = Event::Kind::kWardenLost;
  event.at = now;
  core_->Raise(std::move(event));
}

// Packets before deadlines: what had arrived at `now` is read before a deadline of `now` fires,
// however long ago the last look was.
void Engine::Fire() {
  const Us now = MonotonicNow();
  const Us due = core_->NextDeadline();
  if (due > now) return;
  wakeups_.Note(now - due);
  Poll(0);
  core_->Tick(now);
}

void Engine::TakeCommands() {
  // Never wait for the main thread: when it holds the lock it is about to post and to wake us
  // again.
  std::unique_lock lock(commands_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  for (Command& command : std::exchange(commands_, {})) taken_.push_back(std::move(command));
}

// A reload of thousands of slots is taken up in slices, so that no advert waits for all of it.
void Engine::CarrySome() {
  for (size_t orders = 0; !taken_.empty() && orders < kOrdersPerTurn;) {
    Command command = std::move(taken_.front());
    taken_.pop_front();
    if (const auto* given = std::get_if<GiveOrders>(&command)) orders += given->orders.size();
    Carry(std::move(command));
  }
}

void Engine::Carry(Command command) {
  const Us now = MonotonicNow();
  std::visit(Overloaded{[&](AddLink& c) { AddLinkNow(std::move(c)); },
                        [&](RemoveLink& c) { RemoveLinkNow(c.link); },
                        [&](AddSlot& c) {
                          names_[c.slot] = std::move(c.name);
                          core_->AddSlot(c.slot, c.link, c.vrid, std::move(c.peers),
                                         std::move(c.counters));
                        },
                        [&](SetPeers& c) { core_->SetPeers(c.slot, std::move(c.peers)); },
                        [&](SetLiveness& c) { core_->SetLiveness(c.liveness, now); },
                        [&](RemoveSlot& c) { RemoveSlotNow(c.slot); },
                        [&](SetSeal& c) { SetSealNow(std::move(c)); },
                        [&](GiveOrders& c) {
                          for (OrderFor& order : c.orders)
                            core_->Apply(std::move(order), c.acknowledged, now);
                        },
                        [&](Renewal& c) { core_->Renew(c.at); },
                        [&](Acknowledgement& c) { core_->Acknowledge(c.acknowledged, now); },
                        [&](LoseMaster& c) {
                          for (const SlotId slot : c.slots) core_->LoseMaster(slot, c.master, now);
                        },
                        [&](Flush& c) {
                          flushes_.push_back({c.id, std::nullopt});
                        },
                        [&](MeetWarden& c) { MeetWardenNow(c.warden); },
                        [&](OfferExchange& c) { OfferNow(std::move(c)); },
                        [&](WithdrawExchange& c) { WithdrawNow(c.for_good); },
                        [&](ReadyForExchange& c) { ReadyNow(std::move(c)); },
                        [&](WhenTaken& c) { when_taken_ = std::move(c.run); }},
             command);
}

void Engine::AddLinkNow(AddLink command) {
  const Link& link = *command.link;
  core_->AddLink(link.id, std::move(command.counters));
  carrier_->AddOutlet(link.id, link.sender.get(), link.ifindex);
  if (!WatchReadable(epoll_.get(), link.receiver.get(), static_cast<uint64_t>(link.id)))
    ReceiveFailed(link, errno);
  links_[link.id] = command.link;
  warden_.AddLink(command.link);
}

void Engine::RemoveLinkNow(LinkId id) {
  // What was ordered before still goes out through it.
  carrier_->Add(core_->TakeBatch());
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->receiver.get(), nullptr);
  carrier_->RemoveOutlet(id);
  core_->RemoveLink(id);
  warden_.RemoveLink(id);
  links_.erase(found);
}

// What was ordered before leaves as it was sealed then, here and below.
void Engine::RemoveSlotNow(SlotId slot) {
  carrier_->Add(core_->TakeBatch());
  core_->RemoveSlot(slot);
  names_.erase(slot);
  seals_->Set(slot, nullptr);
}

void Engine::SetSealNow(SetSeal command) {
  carrier_->Add(core_->TakeBatch());
  const AnySeal* seal = command.seal.has_value() ? &*command.seal : nullptr;
  seals_->Set(command.slot, seal);
  seals_->GoOnFrom(command.slot, command.sent);
  core_->SetSeal(command.slot, seal, std::move(command.senders), seals_->SequenceOf(command.slot));
}

// True when nothing more lies there.
bool Engine::DrainMonitor() {
  alignas(nlmsghdr) std::array<uint8_t, 32 * 1024> buffer;
  for (int i = 0; i < kMonitorReadsMax; ++i) {
    sockaddr_nl from{};
    socklen_t length = sizeof from;
    const ssize_t n = recvfrom(monitor_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from), &length);
    if (n < 0 && errno != ENOBUFS) return true;
    if (n >= 0 && from.nl_pid != 0) continue;
    if (n >= 0 && !address_news_.AnyNews({buffer.data(), static_cast<size_t>(n)})) continue;
    if (n < 0) address_news_.Forget();
    Event event;
    event.kind = n < 0 ? Event::Kind::kOverrun : Event::Kind::kKernel;
    if (n >= 0) event.bytes.assign(buffer.begin(), buffer.begin() + n);
    core_->Raise(std::move(event));
  }
  return false;
}

// What a dump shows was notified before it was read. So the notifications go first, and none that
// is handed over later is older than the answer.
void Engine::TakeAnswers() {
  for (Answered& answered : netlink_.TakeAnswers()) answers_.push_back(std::move(answered));
  if (answers_.empty() || !DrainMonitor()) return;
  for (; !answers_.empty(); answers_.pop_front()) {
    auto& [id, answer] = answers_.front();
    Event event;
    event.kind = Event::Kind::kAnswer;
    event.id = id;
    event.bytes = std::move(answer.bytes);
    event.call = answer.call;
    event.error = answer.error;
    event.detail = std::move(answer.detail);
    core_->Raise(std::move(event));
  }
}

void Engine::Deliver() {
  for (; !flushes_.empty() && flushes_.front().after.has_value() &&
         *flushes_.front().after <= carrier_->done();
       flushes_.pop_front())
    flushed_.push_back(flushes_.front().id);
  if (!core_->has_events() && flushed_.empty()) return;
  if (outbox_.load() == nullptr) return HandOver();
  // The last delivery still waits. Say so, and look again: it may have been taken in between.
  backlog_ = true;
  if (outbox_.load() == nullptr && backlog_.exchange(false)) HandOver();
}

void Engine::HandOver() {
  outbox_ = new Delivery{core_->TakeEvents(), std::exchange(flushed_, {})};
  notify_();
}

void Engine::Arm() {
  // Nothing is promised for what another process still answers for.
  if (held()) return warden_.SleepUntil(kNever);
  const Us deadline = core_->NextDeadline();
  warden_.SleepUntil(taken_.empty() ? deadline : MonotonicNow());
  const Us next = std::min(deadline, paced_.NextDeadline());
  // A deadline that was put off leaves the timer as it is: waking once too early costs less than
  // arming it anew for each advert that is heard.
  if (next >= armed_) return;
  armed_ = next;
  // All zero would disarm; an instant in the past fires at once.
  const Us at = std::max<Us>(next, 1);
  const itimerspec when = {{}, {at / 1'000'000, at % 1'000'000 * 1'000}};
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace vipd
