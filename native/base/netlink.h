// Reading what a netlink socket has delivered.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <span>
#include <string>

namespace vipd {

// The name of a request's type, for people: 'RTM_NEWADDR'.
const char* RequestName(uint16_t type);
// The kernel's own words in an acknowledgement, or nothing.
std::string ExtendedText(const nlmsghdr* header);

// Each complete message in turn; `visit` answers whether to go on. `bytes` is aligned like
// nlmsghdr. A length that is not aligned ends the walk at the end of the bytes, where NLMSG_NEXT
// would count past it.
template <typename Visit>
void ForEachMessage(std::span<const uint8_t> bytes, Visit visit) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(bytes.data());
    if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > bytes.size()) return;
    if (!visit(message)) return;
    const size_t step = NLMSG_ALIGN(static_cast<size_t>(message->nlmsg_len));
    if (step >= bytes.size()) return;
    bytes = bytes.subspan(step);
  }
}

}  // namespace vipd
