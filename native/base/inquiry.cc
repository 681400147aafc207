#include "base/inquiry.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/netlink.h"
#include "base/sockets.h"

namespace vipd {

namespace {

// A dump that the kernel changed under is read again, but not for ever.
constexpr int kAttempts = 8;

// Answers to an earlier inquiry that was given up must not be taken for this one's.
uint32_t NextSequence() {
  static std::atomic<uint32_t> last{0};
  return ++last;
}

}  // namespace

Inquiry::Inquiry(Bytes request) : request_(std::move(request)) {
  nlmsghdr header;
  memcpy(&header, request_.data(), sizeof header);
  // Anything but a dump ends with an acknowledgement.
  if ((header.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP) header.nlmsg_flags |= NLM_F_ACK;
  name_ = RequestName(header.nlmsg_type);
  memcpy(request_.data(), &header, sizeof header);
}

bool Inquiry::Fail(const char* call, int error, std::string detail) {
  answer_ = {{}, call, error, std::move(detail)};
  done_ = true;
  return true;
}

bool Inquiry::Step(int fd) {
  if (!asked_) return Ask(fd);
  if (!Read(fd)) return false;
  if (!interrupted_ || ++attempts_ == kAttempts) return true;
  asked_ = done_ = interrupted_ = false;
  answer_ = {};
  return false;
}

bool Inquiry::Ask(int fd) {
  // A dump that was given up in the middle would keep the kernel from beginning another.
  char byte;
  while (recv(fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0 || errno == EINTR || errno == ENOBUFS) {
  }
  sequence_ = NextSequence();
  nlmsghdr header;
  memcpy(&header, request_.data(), sizeof header);
  header.nlmsg_seq = sequence_;
  memcpy(request_.data(), &header, sizeof header);
  if (send(fd, request_.data(), request_.size(), 0) < 0) return Fail("send", errno);
  asked_ = true;
  return false;
}

// The kernel has written by the time of the call: nothing to read means that nothing will come.
bool Inquiry::Read(int fd) {
  alignas(nlmsghdr) std::array<uint8_t, 64 * 1024> buffer;
  ssize_t n;
  do {
    n = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return Fail("recv", errno == EAGAIN ? ETIMEDOUT : errno);
  ForEachMessage({buffer.data(), static_cast<size_t>(n)}, [&](const nlmsghdr* header) {
    Take(header);
    return !done_;
  });
  return done_;
}

void Inquiry::Take(const nlmsghdr* header) {
  if (header->nlmsg_seq != sequence_) return;
  if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
  if (header->nlmsg_type == NLMSG_ERROR) {
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) {
      Fail(name_, EIO);
      return;
    }
    const int error = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
    if (error != 0) Fail(name_, error, ExtendedText(header));
    done_ = true;
    return;
  }
  if (header->nlmsg_type == NLMSG_DONE) {
    // A dump that breaks off says why in the message that ends it.
    int status = 0;
    if (header->nlmsg_len >= NLMSG_LENGTH(sizeof status))
      memcpy(&status, NLMSG_DATA(header), sizeof status);
    if (status < 0) Fail(name_, -status);
    done_ = true;
    return;
  }
  const auto* begin = reinterpret_cast<const uint8_t*>(header);
  answer_.bytes.insert(answer_.bytes.end(), begin, begin + header->nlmsg_len);
  answer_.bytes.resize(NLMSG_ALIGN(answer_.bytes.size()));
}

Answer Request(const Bytes& request, int protocol) {
  const Opened socket = OpenRequests(protocol);
  if (!socket.ok()) return {{}, socket.failed_call, socket.error, ""};
  Inquiry inquiry(request);
  while (!inquiry.Step(socket.fd.get())) {
  }
  return std::move(inquiry.answer());
}

}  // namespace vipd
