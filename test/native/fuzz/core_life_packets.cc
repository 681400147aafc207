// Packets and events.
#include <algorithm>

#include "core_life.h"

namespace vipd {

void Life::Packet() {
  const LinkId link = 1 + in_.Below(kLinks);
  const Address from = SomeSource(&in_);
  if (in_.Below(8) == 0) return Unreadable(link);
  // Half of the packets are what some slot expects.
  const SlotId id = SomeSlot();
  if (in_.Below(2) == 0 && id != 0 && slots_.at(id).expect.has_value()) {
    const ExpectedAdvert expected = *slots_.at(id).expect;
    return Receive(slots_.at(id).link, expected.from, expected.ttl, expected.payload);
  }
  Receive(link, from, 254 + in_.Below(2), SomePayload(&in_));
}

void Life::Unreadable(LinkId link) {
  core_.Unclaimed(link);
  if (!links_.contains(link)) return;
  Require(++received_[links_.at(link).get()] == links_.at(link)->received,
          "every packet is counted");
}

void Life::Receive(LinkId link, const Address& from, int ttl, const Bytes& payload) {
  const uint64_t raised = core_.raised();
  const Us next = core_.NextDeadline();
  const auto known = links_.find(link);
  if (known == links_.end()) {
    core_.Receive(link, {from, ttl, {}, payload}, now_);
    return Require(core_.raised() == raised, "a link that is gone hears nothing");
  }
  const LinkCounters& counters = *known->second;
  const uint64_t dropped = counters.throttled + counters.coalesced;
  const uint64_t unclaimed = counters.unclaimed;
  core_.Receive(link, {from, ttl, {}, payload}, now_);
  Require(++received_[&counters] == counters.received, "every packet is counted");
  const uint64_t told = core_.raised() - raised + counters.throttled + counters.coalesced - dropped;
  Asked* slot = payload.size() < 2 ? nullptr : SlotOf(link, payload[1], from);
  Require(counters.unclaimed - unclaimed == (slot == nullptr ? 1u : 0u), "unclaimed, or a slot's");
  if (slot == nullptr)
    return Require(told <= 1 && core_.NextDeadline() == next, "a VRID of no slot is told once");
  if (Idles(IdOf(slot)))
    return Require(told == 0 && core_.NextDeadline() == next, "an idle slot is deaf");
  const auto& expect = slot->expect;
  const bool expected = Follows(IdOf(slot)) && expect.has_value() && expect->from == from &&
                        expect->ttl == ttl && expect->payload == payload;
  if (core_.raised() > raised) slot->heard = core_.raised();
  if (!expected)
    return Require(told == 1 && core_.NextDeadline() == next,
                   "told, counted together or throttled");
  Require(told == 0 && slot->counters->last_expected == now_, "the expected is not told");
  slot->awaited = false;
  slot->asked = false;
  slot->awaits = 0;
  slot->not_before = now_ + slot->restart;
  slot->armed = now_;
  slot->exact = true;
  Require(core_.NextDeadline() <= slot->not_before, "the expected restarts the deadline");
}

SlotId Life::IdOf(const Asked* slot) const {
  for (const auto& [id, other] : slots_)
    if (&other == slot) return id;
  return 0;
}

// Many sources, a moment apart.
void Life::Flood() {
  const LinkId link = 1 + in_.Below(kLinks);
  const Bytes payload = {0x31, static_cast<uint8_t>(1 + in_.Below(kVrids))};
  const Us apart = in_.Below(4) * 400;
  Address from;
  from.length = 4;
  for (int left = 4 * in_.Below(256); left > 0; --left) {
    now_ += apart;
    from.octets[1] = static_cast<uint8_t>(left >> 8);
    from.octets[2] = static_cast<uint8_t>(left);
    Receive(link, from, 255, payload);
  }
}

void Life::Kernel() {
  for (int left = 1 + in_.Below(2) * 5'000; left > 0; --left) {
    Event event;
    event.kind = Event::Kind::kKernel;
    core_.Raise(std::move(event));
  }
}

void Life::TakeEvents() {
  const uint64_t first = taken_ + 1;
  const std::vector<Event> events = core_.TakeEvents();
  size_t heard = 0;
  size_t kernel = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    heard += events[i].kind == Event::Kind::kPacket;
    kernel += events[i].kind == Event::Kind::kKernel;
    CheckEvent(events[i], first + i);
  }
  taken_ += events.size();
  Require(taken_ == core_.raised(), "every event raised is handed over");
  // Beyond the bound only what was expected last comes through, once for each generation, and a
  // few packets of each slot.
  const auto generations = static_cast<size_t>(last_generation_ - generation_taken_) + kSlotsMax;
  const size_t slots = kSlotsMax + static_cast<size_t>(last_slot_ - slot_taken_);
  const auto earned = static_cast<size_t>((now_ - taken_at_) / kPolicy.slot.every);
  const size_t own = slots * (static_cast<size_t>(kPolicy.slot.burst) + earned + 1);
  Require(heard <= kPolicy.packets_waiting + generations + own, "what was heard is bounded");
  slot_taken_ = last_slot_;
  taken_at_ = now_;
  Require(kernel <= Core::kKernelMax, "what the kernel told is bounded");
  generation_taken_ = last_generation_;
}

void Life::CheckEvent(const Event& event, uint64_t number) {
  Require(event.at <= now_, "nothing happened in the future");
  if (event.kind == Event::Kind::kKernel || event.kind == Event::Kind::kOverrun) return;
  if (event.kind == Event::Kind::kStranger) return;
  const auto slot = slot_of_.find(event.generation);
  Require(slot != slot_of_.end() && slot->second == event.slot, "an event's generation is known");
  // What could not be undone is still told.
  const auto removed = removed_.find(event.slot);
  if (removed != removed_.end() && event.kind != Event::Kind::kFailed)
    Require(number <= removed->second, "a slot that is gone is silent");
  if (event.kind == Event::Kind::kPacket) Require(event.count > 0, "what was heard was heard");
  if (event.kind == Event::Kind::kExpired) {
    Require(event.deadline <= event.at, "a deadline ends in time");
    Require(!told_resigned_.contains(event.generation),
            "a take-over is told before the end of the lead that it began");
  }
  if (event.kind == Event::Kind::kLate || event.kind == Event::Kind::kLapsed)
    told_resigned_.insert(event.generation);
  if (event.kind == Event::Kind::kLate) Require(event.late_by >= 0, "late is not early");
}

}  // namespace vipd
