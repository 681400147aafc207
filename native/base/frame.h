// Whole Ethernet frames: the address that a packet socket sends one to, and an IP packet put
// together from a finished header and a payload whose length is known last.
#pragma once

#include <sys/socket.h>

#include "base/plan.h"

namespace vipd {

// For sendmsg on a packet socket: the interface, and of the frame its destination and type.
socklen_t PutFrameAddress(sockaddr_storage* storage, const Bytes& frame, int ifindex);

// The packet filter takes a note (IsNote in plan.h) by refusing it.
bool TakenByFilter(const Bytes& frame, int error);

// `head` is an Ethernet and an IPv4 or IPv6 header. `out` becomes both and the payload, with the
// header's length and checksum right for it.
void WrapPayload(const Bytes& head, const Bytes& payload, Bytes* out);

// The same for what has its IP header already: only the Ethernet header of `head` is taken.
void WrapPacket(const Bytes& head, const Bytes& packet, Bytes* out);

}  // namespace vipd
