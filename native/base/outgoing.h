// Many messages in one call.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "base/plan.h"

namespace vipd {

// Fixed places for what sendmmsg needs, so that a repeat allocates nothing.
struct Outgoing {
  // Some hundred microseconds of sending between two looks at the sockets.
  static constexpr size_t kMessagesMax = 64;

  std::array<mmsghdr, kMessagesMax> headers;
  std::array<iovec, kMessagesMax> parts;
  std::array<sockaddr_storage, kMessagesMax> to;

  void Put(size_t at, const Bytes& bytes, socklen_t address_length) {
    parts[at] = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
    headers[at] = {};
    headers[at].msg_hdr.msg_name = &to[at];
    headers[at].msg_hdr.msg_namelen = address_length;
    headers[at].msg_hdr.msg_iov = &parts[at];
    headers[at].msg_hdr.msg_iovlen = 1;
  }
};

// Sends `count` messages; `sent(i)` and `failed(i, errno)` say what became of each.
template <typename Sent, typename Failed>
void SendAll(int fd, Outgoing* out, size_t count, Sent sent, Failed failed) {
  for (size_t at = 0; at < count;) {
    const int n = sendmmsg(fd, &out->headers[at], static_cast<unsigned>(count - at), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      failed(at, n < 0 ? errno : EIO);
      at += 1;
      continue;
    }
    for (int i = 0; i < n; ++i) sent(at + static_cast<size_t>(i));
    at += static_cast<size_t>(n);
  }
}

}  // namespace vipd
