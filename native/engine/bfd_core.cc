#include "engine/bfd_core.h"

#include <algorithm>
#include <cstring>

namespace vipd {

namespace {

// The packet of RFC 5880 section 4.1.
constexpr size_t kPacketBytes = 24;
constexpr size_t kFlagsOctet = 1;
constexpr uint8_t kPoll = 0x20;
constexpr uint8_t kFinal = 0x10;
constexpr uint8_t kAuthenticated = 0x04;
constexpr uint8_t kMultipoint = 0x01;
constexpr size_t kMultiplier = 2;
constexpr size_t kLength = 3;
constexpr size_t kMyDiscriminator = 4;
constexpr size_t kYourDiscriminator = 8;
constexpr uint8_t kVersion = 1;

uint32_t ReadU32(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<uint32_t>(bytes[at]) << 24 | static_cast<uint32_t>(bytes[at + 1]) << 16 |
         static_cast<uint32_t>(bytes[at + 2]) << 8 | bytes[at + 3];
}

// Equal but for P and F.
bool IsExpected(const Bytes& expect, std::span<const uint8_t> packet) {
  if (expect.size() != kPacketBytes || packet.size() != kPacketBytes) return false;
  // All flags but these two.
  constexpr uint8_t kRest = static_cast<uint8_t>(~(kPoll | kFinal));
  return packet[0] == expect[0] && (packet[kFlagsOctet] & kRest) == (expect[kFlagsOctet] & kRest) &&
         memcmp(packet.data() + 2, expect.data() + 2, kPacketBytes - 2) == 0;
}

// Init or Up (RFC 5880 section 4.1): the two highest of the two bits.
constexpr uint8_t kAtLeastInit = 0x80;

// What section 6.8.6 asks of a packet before its session is looked for.
bool IsValid(std::span<const uint8_t> packet) {
  const uint8_t flags = packet[kFlagsOctet];
  return packet[0] >> 5 == kVersion && packet[kLength] >= kPacketBytes &&
         packet[kLength] <= packet.size() && packet[kMultiplier] != 0 &&
         (flags & (kAuthenticated | kMultipoint)) == 0 && ReadU32(packet, kMyDiscriminator) != 0;
}

// Whether the peer of that discriminator of ours lives by this packet, whatever it changes: it is
// valid, and its sender is not down.
bool IsAlive(std::span<const uint8_t> packet, uint32_t ours) {
  return IsValid(packet) && (packet[kFlagsOctet] & kAtLeastInit) != 0 &&
         ReadU32(packet, kYourDiscriminator) == ours;
}

bool IsOf(const BfdPath& path, const BfdArrival& arrival) {
  return path.peer == arrival.from && (path.local.length == 0 || path.local == arrival.to) &&
         (path.ifindex == 0 || path.ifindex == arrival.ifindex);
}

}  // namespace

void AddEvent(std::vector<BfdEvent>* events, BfdEvent event) {
  if (events->size() < kBfdEventsMax || event.kind == BfdEvent::Kind::kExpired) {
    events->push_back(std::move(event));
    return;
  }
  const auto last = std::find_if(events->rbegin(), events->rend(), [&](const BfdEvent& e) {
    return e.session == event.session && e.kind == event.kind;
  });
  if (last != events->rend()) *last = std::move(event);
}

void BfdCore::Add(SessionId id, uint32_t discriminator, const BfdPath& path,
                  std::shared_ptr<BfdCounters> counters) {
  auto session = std::make_unique<Session>();
  session->id = id;
  session->discriminator = discriminator;
  session->path = path;
  session->counters = std::move(counters);
  deadlines_.Add(session.get());
  by_discriminator_[discriminator] = session.get();
  sessions_[id] = std::move(session);
}

void BfdCore::Remove(SessionId id) {
  Session* session = Find(id);
  if (session == nullptr) return;
  deadlines_.Remove(session);
  by_discriminator_.erase(session->discriminator);
  std::erase_if(sends_, [id](const BfdSend& send) { return send.session == id; });
  sessions_.erase(id);
}

void BfdCore::Apply(SessionId id, BfdOrder order, Us now) {
  Session* session = Find(id);
  if (session == nullptr || order.expiries < session->expiries) return;
  const bool was_silent = session->repeat == nullptr;
  const Us every = was_silent                          ? 0
                   : session->order.repeat.has_value() ? session->order.repeat->every
                                                       : session->order.on_expiry.every;
  // Pauses are judged by the detection time that was in force.
  if (order.detection != session->order.detection) session->counters->longest = 0;
  session->order = std::move(order);
  const BfdOrder& stands = session->order;
  session->answer = stands.answer.empty() ? nullptr : std::make_shared<const Bytes>(stands.answer);
  session->repeat = nullptr;
  if (stands.repeat.has_value()) {
    session->repeat = std::make_shared<const Bytes>(stands.repeat->bytes);
    // What is said anew is said at once; the rhythm stays where the interval does.
    if (was_silent || stands.repeat->every != every || session->send_at == kNever)
      session->send_at = now;
  } else {
    session->send_at = kNever;
  }
  if (stands.detection == 0) {
    session->detect_at = kNever;
  } else {
    if (stands.heard_at > session->counters->last_received) {
      ++session->counters->received;
      session->counters->last_received = stands.heard_at;
    }
    const Us heard = session->counters->last_received;
    session->detect_at = (heard < 0 ? now : heard) + stands.detection;
    session->listened = false;
  }
  Rearm(session);
}

bool BfdCore::Receive(const BfdArrival& arrival) {
  const std::span<const uint8_t> packet = arrival.packet;
  if (packet.size() < kPacketBytes) return false;
  Session* session = Route(arrival);
  if (session == nullptr) return false;
  if (arrival.ttl < session->path.min_ttl) {
    ++session->counters->bad_ttl;
    return true;
  }
  const bool expected = IsExpected(session->order.expect, packet);
  const uint8_t flags = packet[kFlagsOctet];
  if (expected) {
    Heard(session, arrival.at);
    if ((flags & kPoll) != 0 && session->answer != nullptr)
      sends_.push_back({session->id, session->answer});
    if ((flags & kFinal) == 0 || !session->order.polling) return true;
  } else if (IsAlive(packet, session->discriminator)) {
    Heard(session, arrival.at);
  } else if (IsValid(packet)) {
    session->said_at = arrival.at;
  }
  BfdEvent event;
  event.session = session->id;
  event.packet.assign(packet.begin(), packet.end());
  event.at = arrival.at;
  event.expiries = session->expiries;
  AddEvent(&events_, std::move(event));
  return true;
}

void BfdCore::Tick(Us now) {
  while (deadlines_.Next() <= now) {
    auto* session = static_cast<Session*>(deadlines_.First());
    session->away = session->away || WasAway(*session, now);
    if (session->detect_at <= now) {
      Detect(session, now);
    } else {
      sends_.push_back({session->id, session->repeat});
      const BfdOrder& order = session->order;
      const BfdRepeat& repeat = order.repeat.has_value() ? *order.repeat : order.on_expiry;
      // Turns that were missed are gone: the peer counts its own time.
      session->send_at = now + Jittered(repeat);
    }
    Rearm(session);
  }
}

bool BfdCore::WasAway(const Session& session, Us now) {
  const BfdOrder& order = session.order;
  const Us turn = order.repeat.has_value() ? order.repeat->every : order.detection;
  return now - session.due > turn;
}

void BfdCore::Detect(Session* session, Us now) {
  const Us deadline = session->detect_at;
  BfdOrder& order = session->order;
  if (now - deadline > order.detection && !session->listened) {
    session->listened = true;
    session->detect_at = now + order.detection;
    return;
  }
  ++session->expiries;
  ForgetPeer(session);
  session->send_at = session->repeat == nullptr ? kNever : now;
  BfdEvent event;
  event.kind = BfdEvent::Kind::kExpired;
  event.session = session->id;
  event.at = now;
  event.deadline = deadline;
  event.peer = session->path.peer;
  const bool silent = session->said_at <= session->counters->last_received;
  if (silent && !session->away) event.takeover = order.takeover;
  event.expiries = session->expiries;
  AddEvent(&events_, std::move(event));
}

// Whatever it says next is news, and its poll has no answer.
void BfdCore::ForgetPeer(Session* session) {
  BfdOrder& order = session->order;
  session->detect_at = kNever;
  order.expect.clear();
  session->answer = nullptr;
  order.repeat = std::nullopt;
  const Bytes& down = order.on_expiry.bytes;
  session->repeat = down.empty() ? nullptr : std::make_shared<const Bytes>(down);
}

// The expected packet, or a changed one of a peer that knows this session and is not down: every
// packet of the session puts the detection time off (RFC 5880 section 6.8.4), also while TypeScript
// stands still.
void BfdCore::Heard(Session* session, Us at) {
  BfdCounters& counters = *session->counters;
  const Us before = counters.last_received;
  if (session->detect_at != kNever && before >= 0)
    counters.longest = std::max<Us>(counters.longest, at - before);
  ++counters.received;
  counters.last_received = at;
  session->listened = false;
  session->away = false;
  if (session->order.detection == 0 || session->detect_at == kNever) return;
  session->detect_at = at + session->order.detection;
  Rearm(session);
}

BfdCore::Session* BfdCore::Route(const BfdArrival& arrival) {
  const uint32_t ours = ReadU32(arrival.packet, kYourDiscriminator);
  if (ours != 0) {
    const auto found = by_discriminator_.find(ours);
    if (found == by_discriminator_.end()) return nullptr;
    return found->second->path.peer == arrival.from ? found->second : nullptr;
  }
  for (const auto& [id, session] : sessions_)
    if (IsOf(session->path, arrival)) return session.get();
  return nullptr;
}

BfdCore::Session* BfdCore::Find(SessionId id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second.get();
}

void BfdCore::Rearm(Session* session) {
  deadlines_.Set(session, std::min(session->send_at, session->detect_at));
}

Us BfdCore::Jittered(const BfdRepeat& repeat) {
  std::uniform_int_distribution<int> shorter(repeat.shorter_least, repeat.shorter_most);
  return std::max<Us>(1, repeat.every * (1'000 - shorter(random_)) / 1'000);
}

}  // namespace vipd
