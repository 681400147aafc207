// Sends the adverts of a batch, all at once, sealed where their slot seals, and as whole frames
// where they have a head. A send waits for nothing: what a full socket refuses is a failure of that
// step.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "base/outgoing.h"
#include "base/plan.h"
#include "base/seal_table.h"

namespace vipd {

class Datagrams {
 public:
  using LinkFailed = std::function<void(LinkId, const char* call, int error)>;

  // `seals` must outlive it. To be opened before it sends.
  Datagrams(SealTable* seals, LinkFailed link_failed)
      : seals_(seals), link_failed_(std::move(link_failed)) {}

  // The call that failed.
  std::optional<OpenFailure> Open();

  void AddOutlet(LinkId link, int fd, int ifindex);
  void RemoveOutlet(LinkId link) { outlets_.erase(link); }

  void Send(Carried* carried);

 private:
  // Where datagrams of a link leave.
  struct Outlet {
    int fd = -1;
    int ifindex = 0;
    bool packets = false;  // the socket takes IP headers: AH
    bool failed = false;   // the last datagram was refused because the link is gone; said once
  };

  void SendOf(LinkId link, const std::vector<Place>& places, size_t from, size_t to,
              Carried* carried);
  void Failed(Carried* carried, Place place, int error);

  SealTable* const seals_;
  const LinkFailed link_failed_;
  // Whole frames leave by it, whatever their link.
  UniqueFd frames_;
  std::array<Bytes, Outgoing::kMessagesMax> sealed_;
  std::array<Bytes, Outgoing::kMessagesMax> wrapped_;
  std::unordered_map<LinkId, Outlet> outlets_;
};

}  // namespace vipd
