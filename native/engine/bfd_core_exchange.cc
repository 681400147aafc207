// What the core alone knows of its sessions, told to the core of another process and taken from
// one.
#include <algorithm>

#include "engine/bfd_core.h"

namespace vipd {

std::vector<BfdTold> BfdCore::Tell() const {
  std::vector<BfdTold> told;
  for (const auto& [id, session] : sessions_) {
    const BfdCounters& counters = *session->counters;
    BfdTold out{};
    out.session = id;
    out.send_error = counters.send_error;
    out.listened = session->listened;
    out.away = session->away;
    out.send_at = session->send_at;
    out.detect_at = session->detect_at;
    out.said_at = session->said_at;
    out.last_received = counters.last_received;
    out.longest = counters.longest;
    out.expiries = session->expiries;
    out.received = counters.received;
    out.sent = counters.sent;
    out.bad_ttl = counters.bad_ttl;
    told.push_back(out);
  }
  return told;
}

void BfdCore::TakeUp(std::span<const BfdTold> told, std::vector<BfdEvent> unjudged,
                     const std::unordered_map<SessionId, SessionId>& here) {
  const auto find = [&](SessionId there) {
    const auto found = here.find(there);
    return found == here.end() ? nullptr : Find(found->second);
  };
  for (const BfdTold& one : told)
    if (Session* session = find(one.session); session != nullptr) TakeUpOne(session, one);
  for (BfdEvent& event : unjudged)
    if (Session* session = find(event.session); session != nullptr)
      Replay(session, std::move(event));
}

void BfdCore::TakeUpOne(Session* session, const BfdTold& told) {
  // It was lost in that process after its state had been passed: the order is older than that.
  if (told.expiries > session->order.expiries) ForgetPeer(session);
  BfdCounters& counters = *session->counters;
  counters.send_error = told.send_error;
  counters.last_received = told.last_received;
  counters.longest = told.longest;
  counters.received = told.received;
  counters.sent = told.sent;
  counters.bad_ttl = told.bad_ttl;
  session->expiries = told.expiries;
  session->listened = told.listened != 0;
  session->away = told.away != 0;
  session->said_at = told.said_at;
  // Where that core waited for nothing, or sent nothing, the order says when it begins.
  if (session->detect_at != kNever && told.detect_at != kNever) session->detect_at = told.detect_at;
  if (session->repeat == nullptr)
    session->send_at = kNever;
  else if (told.send_at != kNever)
    session->send_at = told.send_at;
  Rearm(session);
}

// Until it is told otherwise it takes the thread before for one that was away: that may have slept
// or stood still for long enough that the peer has lost the session.
void BfdCore::GoOnFrom(Us now) {
  for (const auto& [id, session] : sessions_) {
    session->away = true;
    if (session->send_at != kNever) session->send_at = now;
    if (session->detect_at != kNever) session->detect_at = now + session->order.detection;
    Rearm(session.get());
  }
}

void BfdCore::Replay(Session* session, BfdEvent event) {
  event.session = session->id;
  if (event.kind == BfdEvent::Kind::kExpired) {
    event.peer = session->path.peer;
    if (!event.takeover.empty()) event.takeover = session->order.takeover;
  }
  AddEvent(&events_, std::move(event));
}

Us BfdCore::ShortestInterval() const {
  Us shortest = kNever;
  for (const auto& [id, session] : sessions_)
    if (session->repeat != nullptr && session->order.repeat.has_value())
      shortest = std::min(shortest, session->order.repeat->every);
  return shortest;
}

}  // namespace vipd
