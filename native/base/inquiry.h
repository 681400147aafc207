// One netlink request whose answer is more than an acknowledgement: a dump, say. The kernel
// writes a dump as it is read, so it is read in steps between which the caller may do what is more
// urgent.
#pragma once

#include "base/plan.h"

struct nlmsghdr;

namespace vipd {

// The answers joined, without the message that ends them.
struct Answer {
  Bytes bytes;
  const char* call = nullptr;  // null on success
  int error = 0;
  std::string detail;
};

class Inquiry {
 public:
  explicit Inquiry(Bytes request);

  // Asks, or reads on, on a netlink socket that nothing else uses. True when the answer is whole;
  // false: call again.
  bool Step(int fd);
  Answer& answer() { return answer_; }

 private:
  bool Ask(int fd);
  bool Read(int fd);
  void Take(const nlmsghdr* header);
  bool Fail(const char* call, int error, std::string detail = "");

  Bytes request_;
  const char* name_;
  uint32_t sequence_ = 0;
  int attempts_ = 0;
  bool asked_ = false;
  bool done_ = false;
  bool interrupted_ = false;
  Answer answer_;
};

// The whole of it on a socket of its own, while the caller waits. `protocol`: NETLINK_ROUTE,
// NETLINK_NETFILTER.
Answer Request(const Bytes& request, int protocol);

}  // namespace vipd
