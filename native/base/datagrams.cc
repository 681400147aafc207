#include "base/datagrams.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/frame.h"

namespace vipd {

namespace {

socklen_t PutAddress(sockaddr_storage* storage, const Address& to, int ifindex) {
  *storage = {};
  if (to.length == 4) {
    auto* in = reinterpret_cast<sockaddr_in*>(storage);
    in->sin_family = AF_INET;
    memcpy(&in->sin_addr, to.octets.data(), 4);
    return sizeof *in;
  }
  auto* in6 = reinterpret_cast<sockaddr_in6*>(storage);
  in6->sin6_family = AF_INET6;
  memcpy(&in6->sin6_addr, to.octets.data(), 16);
  const bool scoped =
      IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&in6->sin6_addr);
  in6->sin6_scope_id = scoped ? static_cast<uint32_t>(ifindex) : 0;
  return sizeof *in6;
}

// A missing route or a link without carrier passes; an interface that is no more does not. Which
// errno its sockets answer with depends on the family, so the interface itself is looked for: on
// the socket that is there, since another may not be had.
bool MeansLinkGone(int error, int fd, int ifindex) {
  if (error == ENODEV || error == ENXIO || error == EBADF) return true;
  if (ifindex == 0) return false;
  ifreq request{};
  request.ifr_ifindex = ifindex;
  return ioctl(fd, SIOCGIFNAME, &request) < 0 && errno == ENODEV;
}

bool TakesPackets(int fd) {
  int included = 0;
  socklen_t length = sizeof included;
  return getsockopt(fd, IPPROTO_IP, IP_HDRINCL, &included, &length) == 0 && included != 0;
}

}  // namespace

std::optional<OpenFailure> Datagrams::Open() {
  Opened frames = OpenFrames();
  if (!frames.ok()) return OpenFailure{frames.failed_call, frames.error};
  frames_ = std::move(frames.fd);
  return std::nullopt;
}

void Datagrams::AddOutlet(LinkId link, int fd, int ifindex) {
  outlets_[link] = {fd, ifindex, TakesPackets(fd), false};
}

void Datagrams::Send(Carried* carried) {
  const std::vector<Place> places = PlacesByLink(carried->batch);
  for (size_t from = 0; from < places.size();) {
    const LinkId link = StepAt(carried->batch, places[from]).target;
    size_t to = from;
    while (to < places.size() && to - from < Outgoing::kMessagesMax &&
           StepAt(carried->batch, places[to]).target == link)
      ++to;
    SendOf(link, places, from, to, carried);
    from = to;
  }
}

void Datagrams::SendOf(LinkId link, const std::vector<Place>& places, size_t from, size_t to,
                       Carried* carried) {
  const auto found = outlets_.find(link);
  if (found == outlets_.end()) {
    for (size_t i = from; i < to; ++i)
      carried->Fail(places[i], "sendmmsg", ENODEV, "the link is closed");
    return;
  }
  Outlet& outlet = found->second;
  Outgoing out;
  Sealer sealer(seals_);
  std::array<Place, Outgoing::kMessagesMax> leaving;
  size_t count = 0;
  bool whole = false;  // those that are collected are frames
  Us now = 0;
  const auto sent = [&](size_t i) {
    if (now == 0) now = MonotonicNow();
    outlet.failed = false;
    carried->Done(leaving[i], now);
    if (!IsNote(StepAt(carried->batch, leaving[i]))) carried->batch[leaving[i].run].sent_at = now;
  };
  const auto failed = [&](size_t i, int error) {
    TakenByFilter(StepAt(carried->batch, leaving[i]).head, error)
        ? sent(i)
        : Failed(carried, leaving[i], error);
  };
  const auto flush = [&] {
    SendAll(whole ? frames_.get() : outlet.fd, &out, std::exchange(count, 0), sent, failed);
  };
  for (size_t i = from; i < to; ++i) {
    const Step& step = StepAt(carried->batch, places[i]);
    if (whole == step.head.empty()) {
      flush();
      whole = !whole;
    }
    const SlotId slot = carried->batch[places[i].run].slot;
    const bool note = IsNote(step);
    const auto seal = note ? SealTable::Outcome::kPlain
                           : sealer.Apply(places[i].run, slot, step, WallNow(), &sealed_[count]);
    // Never a PDU where a packet belongs, nor the other way round.
    const bool packet = seal == SealTable::Outcome::kPacket;
    const bool fits = note || packet == outlet.packets;
    if (seal == SealTable::Outcome::kWithheld || !fits) {
      carried->Fail(places[i], "seal", ENOKEY, "not sent: the advert cannot be sealed");
      continue;
    }
    const Bytes& bytes = seal == SealTable::Outcome::kPlain ? step.bytes : sealed_[count];
    leaving[count] = places[i];
    if (whole) {
      packet ? WrapPacket(step.head, bytes, &wrapped_[count])
             : WrapPayload(step.head, bytes, &wrapped_[count]);
      out.Put(count, wrapped_[count], PutFrameAddress(&out.to[count], step.head, outlet.ifindex));
    } else {
      out.Put(count, bytes, PutAddress(&out.to[count], step.to, outlet.ifindex));
    }
    count += 1;
  }
  flush();
}

void Datagrams::Failed(Carried* carried, Place place, int error) {
  carried->Fail(place, "sendmmsg", error);
  const LinkId link = StepAt(carried->batch, place).target;
  Outlet& outlet = outlets_[link];
  if (outlet.failed || !MeansLinkGone(error, outlet.fd, outlet.ifindex)) return;
  outlet.failed = true;
  link_failed_(link, "sendmmsg", error);
}

}  // namespace vipd
