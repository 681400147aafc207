#include "base/descriptors.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace vipd {

namespace {

// The kernel takes 253 descriptors with a message.
constexpr size_t kAtOnce = 128;

struct Message {
  uint32_t round = 0;
  uint32_t count = 0;
  std::array<uint64_t, kAtOnce> tags;
};

struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kAtOnce * sizeof(int))> octets{};
};

int SendSome(int socket, uint32_t round, std::span<const TaggedFd> given) {
  Message message;
  Control control;
  message.round = round;
  message.count = static_cast<uint32_t>(given.size());
  std::array<int, kAtOnce> fds;
  for (size_t i = 0; i < given.size(); ++i) {
    message.tags[i] = given[i].tag;
    fds[i] = given[i].fd;
  }
  iovec part = {&message, sizeof message};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.octets.data();
  header.msg_controllen = CMSG_SPACE(given.size() * sizeof(int));
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(given.size() * sizeof(int));
  memcpy(CMSG_DATA(rights), fds.data(), given.size() * sizeof(int));
  return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

}  // namespace

int SendDescriptors(int socket, uint32_t round, std::span<const TaggedFd> given) {
  for (size_t at = 0; at < given.size(); at += kAtOnce) {
    const int error =
        SendSome(socket, round, given.subspan(at, std::min(kAtOnce, given.size() - at)));
    if (error != 0) return error;
  }
  return 0;
}

std::vector<ReceivedFd> ReceiveDescriptors(int socket, uint32_t round) {
  std::vector<ReceivedFd> out;
  for (;;) {
    Message message;
    Control control;
    iovec part = {&message, sizeof message};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.octets.data();
    header.msg_controllen = control.octets.size();
    const ssize_t n = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out;
    const cmsghdr* rights = CMSG_FIRSTHDR(&header);
    if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const bool wanted = n == sizeof message && message.round == round && message.count == count;
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(rights) + i * sizeof fd, sizeof fd);
      UniqueFd owned(fd);
      if (wanted) out.push_back({message.tags[i], std::move(owned)});
    }
  }
}

}  // namespace vipd
