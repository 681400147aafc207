// What the core alone knows of its slots, told to the core of another process and taken from one.
#include "engine/core.h"

namespace vipd {

namespace {

// FNV-1a of the name and the period: what keeps its phase when a lead replaces a lead.
uint64_t KeyOf(const Repeat& repeat) {
  uint64_t h = 0xcbf29ce484222325u ^ static_cast<uint64_t>(repeat.every);
  for (const char octet : repeat.key) h = (h ^ static_cast<uint8_t>(octet)) * 0x100000001b3u;
  return h;
}

}  // namespace

bool Core::Tell(std::vector<ExchangeEntry>* out) const {
  for (const auto& [id, slot] : slots_) {
    if (slot->waiting || slot->awaits != 0 || slot->changed == kChanging) return false;
    const SlotCounters& counters = *slot->counters;
    out->push_back({id, ExchangeEntry::kCounts, counters.sent, counters.last_sent,
                    counters.last_received, counters.last_expected});
    if (slot->state == State::kFollow)
      out->push_back(
          {id, ExchangeEntry::kFollow, 0, slot->due, slot->listen_until, slot->armed_at});
    for (size_t i = 0; i < slot->running.size(); ++i) {
      const Running& running = slot->running[i];
      out->push_back({id, ExchangeEntry::kRepeat, KeyOf(slot->lead->repeats[i]), running.due,
                      running.left, 0});
    }
  }
  return true;
}

bool Core::TakeUp(const ExchangeEntry& entry, SlotId id) {
  Slot* slot = Find(id);
  if (slot == nullptr) return false;
  switch (entry.kind) {
    case ExchangeEntry::kFollow:
      if (slot->state != State::kFollow) return false;
      slot->listen_until = entry.b;
      slot->armed_at = entry.c;
      deadlines_.Set(slot, entry.a);
      return true;
    case ExchangeEntry::kRepeat:
      if (slot->state != State::kLead) return false;
      for (size_t i = 0; i < slot->running.size(); ++i)
        if (KeyOf(slot->lead->repeats[i]) == entry.key) {
          slot->running[i].due = entry.a;
          slot->running[i].left = entry.b;
        }
      Rearm(slot);
      return true;
    case ExchangeEntry::kCounts:
      slot->counters->sent = entry.key;
      slot->counters->last_sent = entry.a;
      slot->counters->last_received = entry.b;
      slot->counters->last_expected = entry.c;
      slot->heard_one = slot->state == State::kFollow && entry.b >= 0;
      return true;
    case ExchangeEntry::kSequence:
      return true;
  }
  return false;
}

}  // namespace vipd
