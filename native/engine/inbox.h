// Where packets are read into; fixed, so that receiving allocates nothing.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>

namespace vipd {

// How many one system call takes at most; what is left comes with the next.
constexpr size_t kInboxMessages = 32;
// The longest VRRP packet (255 IPv6 addresses and an authentication trailer) behind the longest
// IPv4 header.
constexpr size_t kPacketMax = 4'608;

struct Inbox {
  std::array<mmsghdr, kInboxMessages> headers;
  std::array<iovec, kInboxMessages> parts;
  std::array<sockaddr_in6, kInboxMessages> from;
  std::array<std::array<uint8_t, kPacketMax>, kInboxMessages> bytes;
  struct alignas(cmsghdr) Control {
    std::array<char, 64> space;
  };
  std::array<Control, kInboxMessages> control;

  void Reset() {
    for (size_t i = 0; i < kInboxMessages; ++i) {
      parts[i] = {bytes[i].data(), bytes[i].size()};
      msghdr& message = headers[i].msg_hdr;
      message = {};
      message.msg_name = &from[i];
      message.msg_namelen = sizeof from[i];
      message.msg_iov = &parts[i];
      message.msg_iovlen = 1;
      message.msg_control = control[i].space.data();
      message.msg_controllen = control[i].space.size();
    }
  }
};

}  // namespace vipd
