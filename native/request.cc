// One rtnetlink request, answered while the caller waits: for dumps, on the main thread.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "engine.h"
#include "netlink.h"

namespace vipd {

namespace {

constexpr uint32_t kSequence = 1;
// A dump that the kernel changed under is read again, but not for ever.
constexpr int kAttempts = 8;

struct Reading {
  Answer answer;
  bool done = false;
  bool interrupted = false;
};

void Fail(Reading* reading, const char* call, int error, std::string detail = "") {
  reading->done = true;
  reading->answer.call = call;
  reading->answer.error = error;
  reading->answer.detail = std::move(detail);
}

void Take(Reading* reading, const nlmsghdr* header, const char* name) {
  if (header->nlmsg_seq != kSequence) return;
  if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) reading->interrupted = true;
  if (header->nlmsg_type == NLMSG_ERROR) {
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) return Fail(reading, name, EIO);
    const int error = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
    if (error != 0) return Fail(reading, name, error, ExtendedText(header));
    reading->done = true;
    return;
  }
  if (header->nlmsg_type == NLMSG_DONE) {
    // A dump that breaks off says why in the message that ends it.
    int status = 0;
    if (header->nlmsg_len >= NLMSG_LENGTH(sizeof status))
      memcpy(&status, NLMSG_DATA(header), sizeof status);
    if (status < 0) return Fail(reading, name, -status);
    reading->done = true;
    return;
  }
  const auto* begin = reinterpret_cast<const uint8_t*>(header);
  Bytes& bytes = reading->answer.bytes;
  bytes.insert(bytes.end(), begin, begin + header->nlmsg_len);
  bytes.resize(NLMSG_ALIGN(bytes.size()));
}

Reading Ask(const Bytes& request, const char* name) {
  Reading reading;
  const Opened socket = OpenRoute(true);
  if (!socket.ok()) {
    Fail(&reading, socket.failed_call, socket.error);
    return reading;
  }
  if (send(socket.fd.get(), request.data(), request.size(), 0) < 0) Fail(&reading, "send", errno);
  alignas(nlmsghdr) std::array<uint8_t, 64 * 1024> buffer;
  while (!reading.done) {
    const ssize_t n = recv(socket.fd.get(), buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      Fail(&reading, "recv", errno == EAGAIN ? ETIMEDOUT : errno);
      break;
    }
    ForEachMessage({buffer.data(), static_cast<size_t>(n)}, [&](const nlmsghdr* header) {
      Take(&reading, header, name);
      return !reading.done;
    });
  }
  return reading;
}

}  // namespace

Answer Request(const Bytes& given) {
  Bytes request = given;
  nlmsghdr header;
  memcpy(&header, request.data(), sizeof header);
  header.nlmsg_seq = kSequence;
  // Anything but a dump ends with an acknowledgement.
  const bool dump = (header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  if (!dump) header.nlmsg_flags |= NLM_F_ACK;
  memcpy(request.data(), &header, sizeof header);
  const char* name = RequestName(header.nlmsg_type);
  Reading reading;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    reading = Ask(request, name);
    if (!reading.interrupted) break;
  }
  return std::move(reading.answer);
}

}  // namespace vipd
