// Packets in, events out: what is expected, what is told to the main thread, and what became of
// what was carried out.
#include <algorithm>
#include <utility>

#include "engine/core.h"

namespace vipd {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// Only the engine's thread writes counters, so no locked instruction is needed.
void Grow(std::atomic<uint64_t>* counter, uint64_t by) {
  counter->store(counter->load(kRelaxed) + by, kRelaxed);
}

uint64_t Mix(uint64_t h, uint64_t value) {
  h = (h ^ value) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 31);
}

uint64_t Digest(std::span<const uint8_t> bytes, uint64_t h) {
  for (const uint8_t byte : bytes) h = (h ^ byte) * 0x100000001b3u;
  return Mix(h, bytes.size());
}

std::span<const uint8_t> Octets(const Address& a) { return {a.octets.data(), a.length}; }

}  // namespace

// Alone with its VRID, a slot is raised what any source sends: its decoder judges and counts. Of
// several (unicast), the one whose peer sent it.
Core::Slot* Core::Route(const Link& link, const Address& from, std::span<const uint8_t> payload) {
  if (payload.size() < 2) return nullptr;
  Slot* slot = link.slots[payload[1]];
  if (slot == nullptr || slot->sibling == nullptr) return slot;
  while (slot != nullptr && std::ranges::find(slot->peers, from) == slot->peers.end())
    slot = slot->sibling;
  return slot;
}

bool Core::Receive(LinkId link_id, const Packet& heard, Us now) {
  const auto& [from, ttl, header, payload] = heard;
  const auto found = links_.find(link_id);
  if (found == links_.end()) return false;
  Link& link = found->second;
  Grow(&link.counters->received, 1);
  Slot* slot = Route(link, from, payload);
  if (slot == nullptr) {
    Grow(&link.counters->unclaimed, 1);
    if (payload.size() >= 2) TellStranger(&link, link_id, from, payload[1]);
    return false;
  }
  // Also of a slot that is idle (in FAULT): what it hears meanwhile is a replay later, and AH goes
  // on from it.
  const SealCheck::Judgement seal = Judge(slot, heard, now);
  if (slot->state == State::kIdle) return false;
  const bool expected =
      seal.verdict == SealVerdict::kVerified
          ? SaysWhatIsExpected(*slot, heard)
          : Believes(*slot, seal.verdict) && Equals(slot->expect, from, ttl, payload);
  if (!expected) {
    Event packet = Event::Of(Event::Kind::kPacket, slot->id, slot->generation);
    packet.link = slot->link;
    packet.from = from;
    packet.ttl = ttl;
    packet.bytes.assign(payload.begin(), payload.end());
    packet.at = now;
    packet.seal = seal.verdict;
    packet.skew = seal.skew;
    RaisePacket(slot, &link, std::move(packet));
    return false;
  }
  Count(slot, now);
  slot->counters->last_expected.store(now, kRelaxed);
  slot->listened = false;
  slot->listen_until = 0;
  Restart(slot, now);
  return true;
}

bool Core::Believes(const Slot& slot, SealVerdict verdict) {
  return slot.seal == nullptr || slot.seal->Believes(verdict);
}

// Before anything else: neither an allowance nor a deadline may depend on what every host can
// forge.
SealCheck::Judgement Core::Judge(Slot* slot, const Packet& packet, Us now) {
  if (slot->seal == nullptr) return {};
  const SealCheck::Judgement out = slot->seal->Judge(packet, WallAt(now), now);
  if (out.verdict == SealVerdict::kMissing && Believes(*slot, out.verdict))
    Grow(&slot->counters->unsigned_heard, 1);
  else
    Grow(&slot->counters->seals[static_cast<size_t>(out.verdict)], 1);
  if (!out.skewed) return out;
  Event event = Event::Of(Event::Kind::kSkewed, slot->id, slot->generation);
  event.from = packet.from;
  event.skew = out.skew;
  event.at = now;
  Raise(std::move(event));
  return out;
}

// Once for each VRID, so that it can be named: the counter says how many there were.
void Core::TellStranger(Link* link, LinkId id, const Address& from, uint8_t vrid) {
  if (link->strangers_told.test(vrid)) return;
  link->strangers_told.set(vrid);
  Event event;
  event.kind = Event::Kind::kStranger;
  event.link = id;
  event.from = from;
  event.vrid = vrid;
  Raise(std::move(event));
}

void Core::Unclaimed(LinkId link) {
  const auto found = links_.find(link);
  if (found == links_.end()) return;
  Grow(&found->second.counters->received, 1);
  Grow(&found->second.counters->unclaimed, 1);
}

bool Core::Equals(const std::optional<ExpectedAdvert>& advert, const Address& from, int ttl,
                  std::span<const uint8_t> payload) {
  return advert.has_value() && advert->ttl == ttl && advert->from == from &&
         std::ranges::equal(payload, advert->payload);
}

// Of an advert that verifies.
bool Core::SaysWhatIsExpected(const Slot& slot, const Packet& packet) {
  if (!slot.expect.has_value()) return false;
  const ExpectedAdvert& advert = *slot.expect;
  return advert.ttl == packet.ttl && advert.from == packet.from &&
         advert.payload.size() == packet.payload.size() &&
         slot.seal->SaysTheSame(packet.payload, advert.payload);
}

// What was expected last has a credit of its own, which no other packet can use up, and so has each
// slot: it must not take over because too much is going on elsewhere. What verifies counts as
// expected: only a holder of the key can use that credit up.
bool Core::Admit(Slot* slot, Link* link, const Event& packet) {
  const Address& from = packet.from;
  const Us now = packet.at;
  if (packet.seal == SealVerdict::kVerified || Equals(slot->known, from, packet.ttl, packet.bytes))
    return slot->known_credit.Take(now, policy_.source);
  if (packets_ < policy_.packets_waiting &&
      throttle_.Admit(slot->link, from, &link->strangers, now))
    return true;
  return slot->own_credit.Take(now, policy_.slot);
}

void Core::Count(Slot* slot, Us now) {
  SlotCounters& counters = *slot->counters;
  const Us last = counters.last_received.load(kRelaxed);
  const bool follows = slot->state == State::kFollow;
  if (follows && slot->heard_one) {
    counters.gaps.Note(now, now - last);
    counters.adverts.Heard(now, now - last, slot->interval);
  }
  slot->heard_one = follows;
  Grow(&counters.received, 1);
  counters.last_received.store(now, kRelaxed);
}

// Equal to one that still waits: counted there. New: if its source has credit left and there is
// room. What is not believed is told for the log alone: no deadline waits for it.
void Core::RaisePacket(Slot* slot, Link* link, Event packet) {
  const bool believed = Believes(*slot, packet.seal);
  const uint64_t where = Mix(Mix(Mix(slot->id, slot->generation), slot->link), packet.ttl);
  const uint64_t digest = Digest(packet.bytes, Digest(Octets(packet.from), where));
  const auto known = pending_packets_.find(digest);
  if (known != pending_packets_.end()) {
    Event& event = events_[known->second];
    if (event.slot == slot->id && event.generation == slot->generation && event.ttl == packet.ttl &&
        event.from == packet.from && event.seal == packet.seal && event.bytes == packet.bytes) {
      event.count += 1;
      event.at = packet.at;
      Grow(&link->counters->coalesced, 1);
      if (believed) Count(slot, packet.at);
      return;
    }
  }
  if (!Admit(slot, link, packet)) {
    Grow(&link->counters->throttled, 1);
    return;
  }
  if (believed) Count(slot, packet.at);
  pending_packets_[digest] = events_.size();
  packets_ += 1;
  Raise(std::move(packet));
  if (believed) slot->last_packet = raised_;
}

void Core::Raise(Event event) {
  if (event.kind == Event::Kind::kKernel && (overrun_ || ++kernel_ > kKernelMax))
    event = Event::Of(Event::Kind::kOverrun, 0, 0);
  if (event.kind == Event::Kind::kOverrun && std::exchange(overrun_, true)) return;
  events_.push_back(std::move(event));
  raised_ += 1;
}

std::vector<Event> Core::TakeEvents() {
  pending_packets_.clear();
  packets_ = 0;
  kernel_ = 0;
  overrun_ = false;
  return std::exchange(events_, {});
}

// `failures` in the order of the runs.
void Core::Settle(const Batch& batch, const std::vector<Failure>& failures) {
  auto from = failures.begin();
  for (uint32_t run = 0; run < batch.size(); ++run) {
    const auto to = std::find_if(from, failures.end(), [&](const auto& f) { return f.run != run; });
    SettleRun(batch[run], {from, to});
    from = to;
  }
}

void Core::SettleRun(const Run& run, std::span<const Failure> failures) {
  Slot* slot = Find(run.slot);
  const auto& steps = run.plan->steps;
  uint64_t digest = 0;
  const auto is_advert = [](const Step& step) {
    return step.kind == StepKind::kDatagram && !IsNote(step);
  };
  int64_t sent = std::ranges::count_if(steps, is_advert);
  for (const Failure& f : failures) {
    sent -= is_advert(steps[f.step]);
    digest = Mix(Mix(digest, f.step + 1), static_cast<uint64_t>(f.error));
  }
  if (slot != nullptr && sent > 0) {
    Grow(&slot->counters->sent, static_cast<uint64_t>(sent));
    // A batch that waited for the kernel is settled after later ones that did not.
    if (run.sent_at > slot->counters->last_sent.load(kRelaxed))
      slot->counters->last_sent.store(run.sent_at, kRelaxed);
  }
  if (slot != nullptr && sent > 0 && run.sent_at > 0) SettleLease(slot, run);
  // A run of an older order's take-over tells nothing: its generation is not looked at any more.
  const bool current = slot != nullptr && run.generation == slot->generation;
  if (current && run.deadline != Run::kNoDeadline && run.deadline == slot->expiring)
    RaiseExpired(slot, run.generation, run.first_at, run.done_at);
  // What fails is told when all of it has been tried.
  if (run.partial) return;
  // A repeat that fails as it did the last time is no news.
  const auto at = static_cast<size_t>(run.repeat);
  if (slot != nullptr && run.repeat != Run::kNoRepeat && slot->generation == run.generation &&
      at < slot->running.size()) {
    if (std::exchange(slot->running[at].failing, digest) == digest) return;
  }
  for (const Failure& f : failures) {
    Event event = Event::Of(Event::Kind::kFailed, run.slot, run.generation);
    event.at = run.done_at;
    event.step = f.step;
    event.step_kind = steps[f.step].kind;
    if (event.step_kind == StepKind::kNetlink) event.bytes = steps[f.step].bytes;
    event.call = f.call;
    event.error = f.error;
    event.detail = f.detail;
    Raise(std::move(event));
  }
}

// This thread may have stood still between its look at the clock and the advert. Then the kernel
// may have refused that advert and will refuse all that follow, without a word: a lead that cannot
// be sure gives itself up, as one that is late does.
void Core::SettleLease(Slot* slot, const Run& run) {
  if (slot->state != State::kLead || run.tenure != slot->tenure) return;
  const Us before = std::exchange(slot->leased_from, run.begun);
  if (slot->lead->lease == 0 || before == kNever) return;
  const Us late_by = run.sent_at - before - slot->lead->lease;
  if (late_by > 0) Resign(slot, Resigned::kLate, late_by, run.sent_at);
}

}  // namespace vipd
