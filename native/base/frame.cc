#include "base/frame.h"

#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netpacket/packet.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

namespace vipd {

namespace {

void Put16(Bytes* out, size_t at, uint32_t value) {
  (*out)[at] = static_cast<uint8_t>(value >> 8);
  (*out)[at + 1] = static_cast<uint8_t>(value);
}

// RFC 1071.
uint16_t Checksum(std::span<const uint8_t> header) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < header.size(); i += 2) sum += header[i] * 256u + header[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

}  // namespace

socklen_t PutFrameAddress(sockaddr_storage* storage, const Bytes& frame, int ifindex) {
  *storage = {};
  auto* ll = reinterpret_cast<sockaddr_ll*>(storage);
  ll->sll_family = AF_PACKET;
  ll->sll_ifindex = ifindex;
  ll->sll_halen = ETH_ALEN;
  if (frame.size() >= ETH_HLEN) {
    memcpy(ll->sll_addr, frame.data(), ETH_ALEN);
    memcpy(&ll->sll_protocol, frame.data() + 2 * ETH_ALEN, sizeof ll->sll_protocol);
  }
  return sizeof *ll;
}

bool TakenByFilter(const Bytes& frame, int error) {
  // IEEE 802 local experimental.
  constexpr uint8_t kNoteType[] = {0x88, 0xb5};
  return error == ENOBUFS && frame.size() >= ETH_HLEN &&
         memcmp(frame.data() + 2 * ETH_ALEN, kNoteType, sizeof kNoteType) == 0;
}

void WrapPacket(const Bytes& head, const Bytes& packet, Bytes* out) {
  out->assign(head.begin(), head.begin() + std::min<ptrdiff_t>(ETH_HLEN, std::ssize(head)));
  out->insert(out->end(), packet.begin(), packet.end());
}

void WrapPayload(const Bytes& head, const Bytes& payload, Bytes* out) {
  out->assign(head.begin(), head.end());
  out->insert(out->end(), payload.begin(), payload.end());
  const auto length = static_cast<uint32_t>(payload.size());
  if (head.size() == ETH_HLEN + sizeof(ip6_hdr)) {
    Put16(out, ETH_HLEN + offsetof(ip6_hdr, ip6_plen), length);
  } else if (head.size() == ETH_HLEN + sizeof(iphdr)) {
    Put16(out, ETH_HLEN + offsetof(iphdr, tot_len), length + sizeof(iphdr));
    Put16(out, ETH_HLEN + offsetof(iphdr, check), 0);
    const std::span header(out->data() + ETH_HLEN, sizeof(iphdr));
    Put16(out, ETH_HLEN + offsetof(iphdr, check), Checksum(header));
  }
}

}  // namespace vipd
