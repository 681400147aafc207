#include "base/bfd_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vipd {

namespace {

// The source ports of RFC 5881 section 4.
constexpr int kFirstPort = 49'152;
constexpr int kLastPort = 65'535;
// So many ports are tried: all taken on a host with its ephemeral ports used up.
constexpr int kPortTries = 64;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress Of(int family, const Address& address, uint16_t port, int ifindex) {
  SocketAddress out;
  if (family == 4) {
    auto* in = reinterpret_cast<sockaddr_in*>(&out.storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    if (address.length == 4) memcpy(&in->sin_addr, address.octets.data(), 4);
    out.length = sizeof *in;
    return out;
  }
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(port);
  if (address.length == 16) memcpy(&in6->sin6_addr, address.octets.data(), 16);
  if (address.length == 16 && IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
    in6->sin6_scope_id = static_cast<uint32_t>(ifindex);
  out.length = sizeof *in6;
  return out;
}

bool Set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

Opened Failing(const char* call) { return {UniqueFd(), call, errno}; }

UniqueFd Datagrams(int family) {
  return UniqueFd(socket(family == 4 ? AF_INET : AF_INET6,
                         SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
}

Us SinceArrival(const timespec& stamp) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const Us age = (now.tv_sec - stamp.tv_sec) * 1'000'000 + (now.tv_nsec - stamp.tv_nsec) / 1'000;
  return std::max<Us>(age, 0);
}

void ReadControl(const cmsghdr& control, BfdReceived* received) {
  const void* data = CMSG_DATA(&control);
  if (control.cmsg_level == SOL_SOCKET && control.cmsg_type == SCM_TIMESTAMPNS) {
    timespec stamp;
    memcpy(&stamp, data, sizeof stamp);
    received->age = SinceArrival(stamp);
  } else if (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_TTL) {
    memcpy(&received->ttl, data, sizeof received->ttl);
  } else if (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_PKTINFO) {
    in_pktinfo info;
    memcpy(&info, data, sizeof info);
    received->ifindex = info.ipi_ifindex;
    received->to.length = 4;
    memcpy(received->to.octets.data(), &info.ipi_addr, 4);
  } else if (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_HOPLIMIT) {
    memcpy(&received->ttl, data, sizeof received->ttl);
  } else if (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_PKTINFO) {
    in6_pktinfo info;
    memcpy(&info, data, sizeof info);
    received->ifindex = static_cast<int>(info.ipi6_ifindex);
    received->to.length = 16;
    memcpy(received->to.octets.data(), &info.ipi6_addr, 16);
  }
}

}  // namespace

Opened OpenBfdReceiver(int family, uint16_t port) {
  UniqueFd fd = Datagrams(family);
  if (fd.get() < 0) return Failing("socket");
  const bool set = family == 4 ? Set(fd.get(), IPPROTO_IP, IP_RECVTTL, 1) &&
                                     Set(fd.get(), IPPROTO_IP, IP_PKTINFO, 1)
                               : Set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
                                     Set(fd.get(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
                                     Set(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (!set) return Failing("setsockopt");
  Set(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
  const SocketAddress any = Of(family, {}, port, 0);
  if (bind(fd.get(), any.get(), any.length) < 0) return Failing("bind");
  return {std::move(fd)};
}

Opened OpenBfdSender(const BfdSocketSpec& spec, std::minstd_rand* random) {
  const int family = spec.peer.length == 16 ? 6 : 4;
  UniqueFd fd = Datagrams(family);
  if (fd.get() < 0) return Failing("socket");
  if (!spec.interface.empty() &&
      setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, spec.interface.data(),
                 static_cast<socklen_t>(spec.interface.size())) < 0)
    return Failing("setsockopt(SO_BINDTODEVICE)");
  const bool set = family == 4 ? Set(fd.get(), IPPROTO_IP, IP_TTL, spec.ttl) &&
                                     Set(fd.get(), IPPROTO_IP, IP_TOS, spec.traffic_class)
                               : Set(fd.get(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, spec.ttl) &&
                                     Set(fd.get(), IPPROTO_IPV6, IPV6_TCLASS, spec.traffic_class);
  if (!set) return Failing("setsockopt");
  std::uniform_int_distribution<int> ports(kFirstPort, kLastPort);
  for (int left = kPortTries;; --left) {
    const SocketAddress own =
        Of(family, spec.local, static_cast<uint16_t>(ports(*random)), spec.ifindex);
    if (bind(fd.get(), own.get(), own.length) == 0) break;
    if (errno != EADDRINUSE || left == 0) return Failing("bind");
  }
  const SocketAddress to = Of(family, spec.peer, spec.port, spec.ifindex);
  if (connect(fd.get(), to.get(), to.length) < 0) return Failing("connect");
  return {std::move(fd)};
}

std::optional<BfdReceived> ReceiveBfd(int fd, int family, std::span<uint8_t> buffer) {
  for (;;) {
    sockaddr_in6 from{};
    alignas(cmsghdr) char control[128];
    iovec part = {buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    BfdReceived received;
    received.payload = buffer.first(static_cast<size_t>(n));
    if (family == 4) {
      received.from.length = 4;
      memcpy(received.from.octets.data(), &reinterpret_cast<sockaddr_in&>(from).sin_addr, 4);
    } else {
      received.from.length = 16;
      memcpy(received.from.octets.data(), &from.sin6_addr, 16);
    }
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c))
      ReadControl(*c, &received);
    return received;
  }
}

}  // namespace vipd
