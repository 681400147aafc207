#include "base/netlink.h"

#include <linux/rtnetlink.h>

#include <cstring>

namespace vipd {

const char* RequestName(uint16_t type) {
  switch (type) {
    case RTM_NEWADDR:
      return "RTM_NEWADDR";
    case RTM_DELADDR:
      return "RTM_DELADDR";
    case RTM_GETADDR:
      return "RTM_GETADDR";
    case RTM_NEWLINK:
      return "RTM_NEWLINK";
    case RTM_DELLINK:
      return "RTM_DELLINK";
    case RTM_GETLINK:
      return "RTM_GETLINK";
    case RTM_SETLINK:
      return "RTM_SETLINK";
    case RTM_NEWROUTE:
      return "RTM_NEWROUTE";
    case RTM_DELROUTE:
      return "RTM_DELROUTE";
    case RTM_GETROUTE:
      return "RTM_GETROUTE";
    case RTM_NEWRULE:
      return "RTM_NEWRULE";
    case RTM_DELRULE:
      return "RTM_DELRULE";
    default:
      return "rtnetlink request";
  }
}

std::string ExtendedText(const nlmsghdr* header) {
  const bool whole = header->nlmsg_len >= NLMSG_LENGTH(sizeof(nlmsgerr));
  if (!whole || (header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return "";
  const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(header));
  size_t at = NLMSG_HDRLEN + sizeof(nlmsgerr);
  // Without NLM_F_CAPPED the request's own payload stands between.
  if ((header->nlmsg_flags & NLM_F_CAPPED) == 0) at += error->msg.nlmsg_len - NLMSG_HDRLEN;
  const auto* bytes = reinterpret_cast<const char*>(header);
  while (at + sizeof(nlattr) <= header->nlmsg_len) {
    nlattr attribute;
    memcpy(&attribute, bytes + at, sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || at + attribute.nla_len > header->nlmsg_len) return "";
    if ((attribute.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG)
      return std::string(bytes + at + NLA_HDRLEN,
                         strnlen(bytes + at + NLA_HDRLEN, attribute.nla_len - NLA_HDRLEN));
    at += NLA_ALIGN(attribute.nla_len);
  }
  return "";
}

}  // namespace vipd
