// How each kind of socket is opened. A descriptor comes back, or the name of the call that failed
// and the errno that it left.
#pragma once

#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "base/plan.h"

namespace vipd {

// Closes once, moves only.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

struct Opened {
  UniqueFd fd;
  const char* failed_call = nullptr;
  int error = 0;

  bool ok() const { return failed_call == nullptr; }
};

// What kept something with several descriptors from being opened.
struct OpenFailure {
  const char* call = nullptr;
  int error = 0;
};

struct LinkSpec {
  std::string interface;  // empty: not bound to one
  int ifindex = 0;
  bool ah = false;              // protocol 51 instead of 112; what is sent has its IP header
  bool receive_on_any = false;  // the receiver is not bound to the interface either
  Address source;
  std::optional<Address> group;
  std::optional<int> ttl;
  int traffic_class = 0;  // IP_TOS, IPV6_TCLASS of what is sent
  Bytes filter;           // struct sock_filter[]
  Bytes open_filter;      // while little comes; empty: `filter` always
  std::optional<int> receive_buffer;
};

// A raw VRRP socket that receives what is sent to the group (or to the source) and passes the
// filter.
Opened OpenReceiver(const LinkSpec& spec);
// A raw VRRP socket that sends from the source and receives nothing. An IPv6 source may still be
// tentative.
Opened OpenSender(const LinkSpec& spec);
// An AF_PACKET socket that sends whole frames and receives nothing.
Opened OpenFrames();
// NETLINK_ROUTE with extended acknowledgements, for requests.
Opened OpenRoute();
// The same for another netlink protocol.
Opened OpenRequests(int protocol);
// NETLINK_ROUTE, joined to the notifications of links, addresses and IPv6 settings.
Opened OpenMonitor();
// How many packets can wait in a receiving socket at once, at most.
int WaitingMax(int fd);
// nullptr on success, else the failing call with errno set.
const char* JoinGroup(int fd, int ifindex, const Address& group);
// Harmless where the socket is no member.
void LeaveGroup(int fd, int ifindex, const Address& group);
// nullptr on success, else the failing call with errno set.
const char* AttachFilter(int fd, const Bytes& program);
// Multicast groups of a netlink socket. Null, or the name of the call that failed, with errno set.
const char* ChangeGroups(int fd, const std::vector<int>& join, const std::vector<int>& leave);

}  // namespace vipd
