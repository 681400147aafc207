#include "base/sockets.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/ah.h"

namespace vipd {

namespace {

// linux/in6.h, which cannot be included beside netinet/in.h.
constexpr int kIpv6MulticastAll = 29;
constexpr int kIpv6Freebind = 78;
// A dump of thousands of addresses beside the notifications of as many.
constexpr int kNetlinkBuffer = 1 << 20;

// Collects the outcome of a row of calls: after the first failure the rest are skipped.
class Opening {
 public:
  Opening(int family, int type, int protocol) {
    fd_ = UniqueFd(socket(family, type | SOCK_CLOEXEC, protocol));
    if (fd_.get() < 0) Fail("socket");
  }

  template <typename Value>
  Opening& Option(const char* call, int level, int name, const Value& value) {
    if (ok() && setsockopt(fd_.get(), level, name, &value, sizeof value) < 0) Fail(call);
    return *this;
  }

  // For what a kernel may not know or not permit, and which is only better with it.
  template <typename Value>
  Opening& Optional(int level, int name, const Value& value) {
    if (ok()) setsockopt(fd_.get(), level, name, &value, sizeof value);
    return *this;
  }

  Opening& Device(const std::string& interface) {
    if (interface.empty() || !ok()) return *this;
    if (setsockopt(fd_.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                   static_cast<socklen_t>(interface.size())) < 0)
      Fail("setsockopt(SO_BINDTODEVICE)");
    return *this;
  }

  // Received is what is sent to groups that this socket joined, not those of others.
  Opening& Join(const LinkSpec& spec) {
    if (!ok() || !spec.group.has_value()) return *this;
    spec.group->length == 16 ? Optional(IPPROTO_IPV6, kIpv6MulticastAll, 0)
                             : Optional(IPPROTO_IP, IP_MULTICAST_ALL, 0);
    const char* call = JoinGroup(fd_.get(), spec.ifindex, *spec.group);
    if (call != nullptr) Fail(call);
    return *this;
  }

  Opening& Filter(const Bytes& program) {
    const char* call = ok() ? AttachFilter(fd_.get(), program) : nullptr;
    if (call != nullptr) Fail(call);
    return *this;
  }

  Opening& Bind(const Address& address, int ifindex) {
    if (!ok()) return *this;
    sockaddr_storage storage{};
    socklen_t length = 0;
    if (address.length == 4) {
      auto* in = reinterpret_cast<sockaddr_in*>(&storage);
      in->sin_family = AF_INET;
      memcpy(&in->sin_addr, address.octets.data(), 4);
      length = sizeof *in;
    } else {
      auto* in6 = reinterpret_cast<sockaddr_in6*>(&storage);
      in6->sin6_family = AF_INET6;
      memcpy(&in6->sin6_addr, address.octets.data(), 16);
      in6->sin6_scope_id = static_cast<uint32_t>(ifindex);
      length = sizeof *in6;
    }
    return Bind(&storage, length);
  }

  Opening& Bind(const void* address, socklen_t length) {
    if (ok() && bind(fd_.get(), static_cast<const sockaddr*>(address), length) < 0) Fail("bind");
    return *this;
  }

  // What arrived between the socket's birth and its filter is not ours.
  Opening& Discard() {
    char byte;
    while (ok() && recv(fd_.get(), &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0) {
    }
    return *this;
  }

  Opened Done() { return {std::move(fd_), failed_call_, error_}; }
  bool ok() const { return failed_call_ == nullptr; }

 private:
  void Fail(const char* call) {
    failed_call_ = call;
    error_ = errno;
  }

  UniqueFd fd_;
  const char* failed_call_ = nullptr;
  int error_ = 0;
};

const Bytes& DropAll() {
  static const Bytes program = [] {
    const sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
    const auto* begin = reinterpret_cast<const uint8_t*>(&drop);
    return Bytes(begin, begin + sizeof drop);
  }();
  return program;
}

in_addr Ipv4(const Address& address) {
  in_addr out;
  memcpy(&out, address.octets.data(), sizeof out);
  return out;
}

in6_addr Ipv6(const Address& address) {
  in6_addr out;
  memcpy(&out, address.octets.data(), sizeof out);
  return out;
}

ip_mreqn Membership4(int ifindex, const Address& group) {
  return {Ipv4(group), {INADDR_ANY}, ifindex};
}

ipv6_mreq Membership6(int ifindex, const Address& group) {
  return {Ipv6(group), static_cast<unsigned>(ifindex)};
}

void Send4(Opening& opening, const LinkSpec& spec) {
  if (spec.group.has_value()) {
    const ip_mreqn out = {{INADDR_ANY}, Ipv4(spec.source), spec.ifindex};
    opening.Option("setsockopt(IP_MULTICAST_IF)", IPPROTO_IP, IP_MULTICAST_IF, out)
        .Option("setsockopt(IP_MULTICAST_LOOP)", IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  }
  if (spec.ttl.has_value()) {
    opening.Option("setsockopt(IP_TTL)", IPPROTO_IP, IP_TTL, *spec.ttl)
        .Option("setsockopt(IP_MULTICAST_TTL)", IPPROTO_IP, IP_MULTICAST_TTL, *spec.ttl);
  }
  opening.Option("setsockopt(IP_TOS)", IPPROTO_IP, IP_TOS, spec.traffic_class);
  if (spec.ah) opening.Option("setsockopt(IP_HDRINCL)", IPPROTO_IP, IP_HDRINCL, 1);
}

void Send6(Opening& opening, const LinkSpec& spec) {
  if (spec.group.has_value()) {
    opening.Option("setsockopt(IPV6_MULTICAST_IF)", IPPROTO_IPV6, IPV6_MULTICAST_IF, spec.ifindex)
        .Option("setsockopt(IPV6_MULTICAST_LOOP)", IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
  }
  if (spec.ttl.has_value()) {
    opening.Option("setsockopt(IPV6_UNICAST_HOPS)", IPPROTO_IPV6, IPV6_UNICAST_HOPS, *spec.ttl)
        .Option("setsockopt(IPV6_MULTICAST_HOPS)", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, *spec.ttl);
  }
  opening.Option("setsockopt(IPV6_TCLASS)", IPPROTO_IPV6, IPV6_TCLASS, spec.traffic_class);
}

Opening OpenRaw(const LinkSpec& spec, bool bound) {
  const bool six = spec.source.length == 16;
  Opening opening(six ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK,
                  spec.ah ? kAhProtocol : kVrrpProtocol);
  opening.Filter(DropAll());
  if (bound) opening.Device(spec.interface);
  // Duplicate address detection must not hold up an election.
  if (six) opening.Optional(IPPROTO_IPV6, kIpv6Freebind, 1);
  return opening;
}

}  // namespace

const char* AttachFilter(int fd, const Bytes& program) {
  // A copy: the bytes need not be aligned as the kernel's struct is.
  std::vector<sock_filter> code(program.size() / sizeof(sock_filter));
  if (code.empty()) {
    const int value = 0;
    const bool gone = setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof value) == 0;
    return gone || errno == ENOENT ? nullptr : "setsockopt(SO_DETACH_FILTER)";
  }
  memcpy(code.data(), program.data(), code.size() * sizeof(sock_filter));
  const sock_fprog fprog = {static_cast<unsigned short>(code.size()), code.data()};
  const bool attached = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof fprog) == 0;
  return attached ? nullptr : "setsockopt(SO_ATTACH_FILTER)";
}

const char* JoinGroup(int fd, int ifindex, const Address& group) {
  if (group.length == 16) {
    const ipv6_mreq membership = Membership6(ifindex, group);
    const int done = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &membership, sizeof membership);
    return done == 0 ? nullptr : "setsockopt(IPV6_JOIN_GROUP)";
  }
  const ip_mreqn membership = Membership4(ifindex, group);
  const int done = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership);
  return done == 0 ? nullptr : "setsockopt(IP_ADD_MEMBERSHIP)";
}

void LeaveGroup(int fd, int ifindex, const Address& group) {
  if (group.length == 16) {
    const ipv6_mreq membership = Membership6(ifindex, group);
    setsockopt(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &membership, sizeof membership);
    return;
  }
  const ip_mreqn membership = Membership4(ifindex, group);
  setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &membership, sizeof membership);
}

int WaitingMax(int fd) {
  // No packet takes less of the buffer than this, with all that the kernel counts.
  constexpr int kPacketMin = 512;
  int buffer = 0;
  socklen_t length = sizeof buffer;
  getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, &length);
  return buffer / kPacketMin + 1;
}

Opened OpenReceiver(const LinkSpec& spec) {
  const bool six = spec.source.length == 16;
  Opening opening = OpenRaw(spec, !spec.receive_on_any);
  if (spec.receive_buffer.has_value()) {
    opening.Optional(SOL_SOCKET, SO_RCVBUF, *spec.receive_buffer)
        .Optional(SOL_SOCKET, SO_RCVBUFFORCE, *spec.receive_buffer);
  }
  if (six) opening.Option("setsockopt(IPV6_RECVHOPLIMIT)", IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  return opening.Bind(spec.group.value_or(spec.source), spec.ifindex)
      .Discard()
      .Filter(spec.open_filter.empty() ? spec.filter : spec.open_filter)
      .Join(spec)
      .Done();
}

Opened OpenSender(const LinkSpec& spec) {
  Opening opening = OpenRaw(spec, true);
  opening.Bind(spec.source, spec.ifindex).Discard();
  spec.source.length == 16 ? Send6(opening, spec) : Send4(opening, spec);
  return opening.Done();
}

Opened OpenFrames() {
  // Protocol 0: bound to no packet type, so nothing is received.
  return Opening(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0).Done();
}

Opened OpenRoute() { return OpenRequests(NETLINK_ROUTE); }

Opened OpenRequests(int protocol) {
  const sockaddr_nl local = {AF_NETLINK, 0, 0, 0};
  Opening opening(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, protocol);
  opening.Optional(SOL_NETLINK, NETLINK_EXT_ACK, 1)
      .Optional(SOL_NETLINK, NETLINK_CAP_ACK, 1)
      .Optional(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
      .Optional(SOL_SOCKET, SO_RCVBUFFORCE, kNetlinkBuffer)
      .Bind(&local, sizeof local);
  return opening.Done();
}

const char* ChangeGroups(int fd, const std::vector<int>& join, const std::vector<int>& leave) {
  for (const int group : leave)
    if (setsockopt(fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof group) < 0)
      return "setsockopt(NETLINK_DROP_MEMBERSHIP)";
  for (const int group : join)
    if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
      return "setsockopt(NETLINK_ADD_MEMBERSHIP)";
  return nullptr;
}

Opened OpenMonitor() {
  const unsigned netconf = 1u << (RTNLGRP_IPV6_NETCONF - 1);
  const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | netconf;
  const sockaddr_nl local = {AF_NETLINK, 0, 0, groups};
  Opening opening(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
  opening.Optional(SOL_SOCKET, SO_RCVBUFFORCE, kNetlinkBuffer).Bind(&local, sizeof local);
  return opening.Done();
}

}  // namespace vipd
