// Sends the adverts of a batch, all at once. A send waits for nothing: what a full socket refuses
// is a failure of that step.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "base/plan.h"

namespace vipd {

class Datagrams {
 public:
  using LinkFailed = std::function<void(LinkId, const char* call, int error)>;

  explicit Datagrams(LinkFailed link_failed) : link_failed_(std::move(link_failed)) {}

  void AddOutlet(LinkId link, int fd, int ifindex) { outlets_[link] = {fd, ifindex, false}; }
  void RemoveOutlet(LinkId link) { outlets_.erase(link); }

  void Send(Carried* carried);

 private:
  // Where datagrams of a link leave.
  struct Outlet {
    int fd = -1;
    int ifindex = 0;
    bool failed = false;  // the last datagram was refused because the link is gone; said once
  };

  void SendOf(LinkId link, const std::vector<Place>& places, size_t from, size_t to,
              Carried* carried);
  void Failed(Carried* carried, Place place, int error);

  const LinkFailed link_failed_;
  std::unordered_map<LinkId, Outlet> outlets_;
};

}  // namespace vipd
