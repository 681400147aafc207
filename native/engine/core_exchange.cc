// What the core alone knows of its slots, told to the core of another process and taken from one.
#include <array>
#include <cstring>

#include "engine/core.h"

namespace vipd {

namespace {

// FNV-1a of the name and the period: what keeps its phase when a lead replaces a lead.
uint64_t KeyOf(const Repeat& repeat) {
  uint64_t h = 0xcbf29ce484222325u ^ static_cast<uint64_t>(repeat.every);
  for (const char octet : repeat.key) h = (h ^ static_cast<uint8_t>(octet)) * 0x100000001b3u;
  return h;
}

// In an entry: above the octets of an address.
constexpr int64_t kSkewTold = 256;

ExchangeEntry EntryOf(SlotId slot, const SealMark& mark) {
  std::array<Us, 2> address;
  memcpy(address.data(), mark.sender.octets.data(), sizeof address);
  const Us told = mark.skewed ? kSkewTold : 0;
  return {slot,      ExchangeEntry::kMark,     mark.last, address[0], address[1], mark.at,
          mark.skew, told + mark.sender.length};
}

SealMark MarkOf(const ExchangeEntry& entry) {
  SealMark mark;
  const std::array<Us, 2> address = {entry.a, entry.b};
  memcpy(mark.sender.octets.data(), address.data(), sizeof address);
  mark.sender.length = static_cast<uint8_t>(entry.e);
  mark.last = entry.key;
  mark.at = entry.c;
  mark.skew = entry.d;
  mark.skewed = entry.e >= kSkewTold;
  return mark;
}

}  // namespace

bool Core::Tell(std::vector<ExchangeEntry>* out) const {
  for (const auto& [id, slot] : slots_) {
    if (slot->waiting || slot->awaits != 0 || slot->changed == kChanging) return false;
    const SlotCounters& counters = *slot->counters;
    out->push_back({id, ExchangeEntry::kCounts, counters.sent, counters.last_sent,
                    counters.last_received, counters.last_expected,
                    static_cast<Us>(counters.received.load())});
    if (slot->seal != nullptr)
      for (const SealMark& mark : slot->seal->Marks()) out->push_back(EntryOf(id, mark));
    if (slot->state == State::kFollow) TellFollow(*slot, out);
    if (slot->state == State::kLead) TellLead(*slot, out);
  }
  return true;
}

void Core::TellFollow(const Slot& slot, std::vector<ExchangeEntry>* out) {
  const uint64_t flags = (slot.listened ? ExchangeEntry::kListened : 0) |
                         (slot.awaited ? ExchangeEntry::kAwaited : 0) |
                         (slot.heard_one ? ExchangeEntry::kHeardOne : 0);
  out->push_back({slot.id, ExchangeEntry::kFollow, flags, slot.due, slot.listen_until,
                  slot.armed_at, slot.asks.due});
}

void Core::TellLead(const Slot& slot, std::vector<ExchangeEntry>* out) {
  out->push_back({slot.id, ExchangeEntry::kLead, 0, slot.leased_from});
  for (size_t i = 0; i < slot.running.size(); ++i) {
    const Running& running = slot.running[i];
    out->push_back({slot.id, ExchangeEntry::kRepeat, KeyOf(slot.lead->repeats[i]), running.due,
                    running.left, static_cast<Us>(running.failing)});
  }
}

bool Core::TakeUp(const ExchangeEntry& entry, SlotId id) {
  Slot* slot = Find(id);
  if (slot == nullptr) return false;
  switch (entry.kind) {
    case ExchangeEntry::kFollow:
      return TakeUpFollow(slot, entry);
    case ExchangeEntry::kLead:
      slot->leased_from = entry.a;
      return slot->state == State::kLead;
    case ExchangeEntry::kRepeat:
      return TakeUpRepeat(slot, entry);
    case ExchangeEntry::kCounts:
      slot->counters->sent = entry.key;
      slot->counters->last_sent = entry.a;
      slot->counters->last_received = entry.b;
      slot->counters->last_expected = entry.c;
      slot->counters->received = static_cast<uint64_t>(entry.d);
      return true;
    case ExchangeEntry::kMark:
      if (slot->seal != nullptr) slot->seal->Remember(MarkOf(entry));
      return true;
    case ExchangeEntry::kSequence:
      if (slot->seal != nullptr) slot->seal->GoOnFrom(entry.key);
      return true;
  }
  return false;
}

bool Core::TakeUpFollow(Slot* slot, const ExchangeEntry& entry) {
  if (slot->state != State::kFollow) return false;
  slot->listened = (entry.key & ExchangeEntry::kListened) != 0;
  slot->awaited = (entry.key & ExchangeEntry::kAwaited) != 0;
  slot->heard_one = (entry.key & ExchangeEntry::kHeardOne) != 0;
  slot->listen_until = entry.b;
  slot->armed_at = entry.c;
  deadlines_.Set(slot, entry.a);
  // What it asked already for this deadline is not asked again.
  if (slot->ask != nullptr) asks_.Set(&slot->asks, entry.d);
  return true;
}

// One that this lead has not is over, and one that is told of no more begins as it was ordered.
bool Core::TakeUpRepeat(Slot* slot, const ExchangeEntry& entry) {
  if (slot->state != State::kLead) return false;
  for (size_t i = 0; i < slot->running.size(); ++i)
    if (KeyOf(slot->lead->repeats[i]) == entry.key)
      slot->running[i] = {entry.a, entry.b, static_cast<uint64_t>(entry.c)};
  Rearm(slot);
  return true;
}

void Core::ReceiveAgain(LinkId id, const Packet& packet, Us at) {
  const auto link = links_.find(id);
  if (link == links_.end()) return;
  const Slot* slot = Route(link->second, packet.from, packet.payload);
  if (slot != nullptr && slot->seal != nullptr && slot->seal->Judged(packet)) return;
  Receive(id, packet, at);
}

}  // namespace vipd
