#include "engine/address_news.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/netlink.h"

namespace vipd {

namespace {

// cstamp and tstamp, the last two of struct ifa_cacheinfo.
constexpr size_t kInstants = 2 * sizeof(uint32_t);

struct Parts {
  std::string who;   // family, interface, local and peer address
  std::string what;  // everything, without the instants of its making and of its last change
};

Parts Split(const nlmsghdr* message) {
  const auto* head = static_cast<const ifaddrmsg*>(NLMSG_DATA(message));
  Parts parts;
  parts.what.assign(reinterpret_cast<const char*>(head), sizeof *head);
  parts.who = std::to_string(head->ifa_index) + '/' + std::to_string(head->ifa_prefixlen);
  auto left = static_cast<int>(IFA_PAYLOAD(message));
  for (const rtattr* at = IFA_RTA(head); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    const size_t instants = at->rta_type == IFA_CACHEINFO ? kInstants : 0;
    if (at->rta_len < instants) continue;
    const std::string text(reinterpret_cast<const char*>(at), at->rta_len - instants);
    if (at->rta_type == IFA_ADDRESS || at->rta_type == IFA_LOCAL) parts.who += text;
    parts.what += text;
  }
  return parts;
}

// With AF_BRIDGE an RTM_DELLINK says that a port has left its bridge; the interface stays.
bool IsLinkGone(const nlmsghdr* message) {
  if (message->nlmsg_type != RTM_DELLINK) return false;
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof(ifinfomsg))) return false;
  return static_cast<const ifinfomsg*>(NLMSG_DATA(message))->ifi_family == AF_UNSPEC;
}

}  // namespace

bool AddressNews::IsNews(const nlmsghdr* message) {
  const bool added = message->nlmsg_type == RTM_NEWADDR;
  if (!added && message->nlmsg_type != RTM_DELADDR) {
    // Addresses go with their link, whether each is notified or not.
    if (IsLinkGone(message)) Forget();
    return true;
  }
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof(ifaddrmsg))) return true;
  Parts parts = Split(message);
  if (!added) {
    known_.erase(parts.who);
    return true;
  }
  std::string& known = known_[parts.who];
  if (known == parts.what) return false;
  known = std::move(parts.what);
  return true;
}

bool AddressNews::AnyNews(std::span<const uint8_t> bytes) {
  bool news = false;
  ForEachMessage(bytes, [&](const nlmsghdr* message) {
    news = IsNews(message) || news;
    return true;
  });
  return news;
}

}  // namespace vipd
