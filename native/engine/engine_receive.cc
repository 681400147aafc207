// The engine's packets: from a socket that is readable to the core.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <span>

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/inbox.h"

namespace vipd {

// Reads as many packets as can have waited, and no more: a flood delays no deadline.
void Engine::Drain(const Link& link) {
  core_->SetWall(WallNow(), MonotonicNow());
  int left = link.packets_waiting_max;
  int errors = 0;
  while (left > 0) {
    inbox_->Reset();
    const int n = recvmmsg(link.receiver.get(), inbox_->headers.data(), kInboxMessages,
                           MSG_DONTWAIT, nullptr);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) {
      // An error of the past is reported once and gone; one that stays ends the link.
      if (++errors < 2) continue;
      return ReceiveFailed(link, errno);
    }
    const Us now = MonotonicNow();
    for (int i = 0; i < n; ++i) ReceiveOne(link, inbox_->headers[static_cast<size_t>(i)], now);
    if (n < static_cast<int>(kInboxMessages)) return;
    left -= n;
  }
}

void Engine::ReceiveFailed(const Link& link, int error) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, link.receiver.get(), nullptr);
  Event event;
  event.kind = Event::Kind::kLinkFailed;
  event.link = link.id;
  event.call = "recvmmsg";
  event.error = error;
  core_->Raise(std::move(event));
}

// An IPv4 raw socket delivers the header too; an IPv6 one the payload alone, with the hop limit
// beside it.
void Engine::ReceiveOne(const Link& link, const mmsghdr& message, Us now) {
  const msghdr& header = message.msg_hdr;
  const std::span<const uint8_t> octets(static_cast<const uint8_t*>(header.msg_iov->iov_base),
                                        message.msg_len);
  Packet packet;
  if (link.family == 4) {
    const auto read = ReadPacket4(octets, link.ah);
    if (!read.has_value()) return Unreadable(link, now);
    packet = *read;
  } else {
    packet.from.length = 16;
    memcpy(packet.from.octets.data(), &static_cast<const sockaddr_in6*>(header.msg_name)->sin6_addr,
           16);
    packet.payload = octets;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr;
         c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c))
      if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
        memcpy(&packet.ttl, CMSG_DATA(c), sizeof packet.ttl);
  }
  if ((header.msg_flags & MSG_TRUNC) != 0) return Unreadable(link, now);
  if (held()) return kept_.Keep(link.id, packet, now);
  if (!core_->Receive(link.id, packet, now)) Unexpected(link, now);
}

void Engine::Unreadable(const Link& link, Us now) {
  core_->Unclaimed(link.id);
  Unexpected(link, now);
}

void Engine::Unexpected(const Link& link, Us now) {
  if (link.gate->Unexpected(now)) shut_.push_back(link.id);
}

void Engine::ReopenGates(Us now) {
  std::erase_if(shut_, [&](LinkId id) {
    const auto found = links_.find(id);
    if (found == links_.end()) return true;
    found->second->gate->Reopen(now);
    return found->second->gate->reopen_at() == 0;
  });
}

}  // namespace vipd
