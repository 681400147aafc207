// Carries plans out for a thread that must not wait: adverts leave at once, the rest is given to
// the netlink thread, and comes back when it is done.
#pragma once

#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/datagrams.h"
#include "engine/netlink_thread.h"

namespace vipd {

class EngineCarrier {
 public:
  EngineCarrier(NetlinkThread* netlink, SealTable* seals, Datagrams::LinkFailed link_failed)
      : netlink_(netlink), datagrams_(seals, std::move(link_failed)) {}

  std::optional<OpenFailure> Open() { return datagrams_.Open(); }

  void AddOutlet(LinkId link, int fd, int ifindex) { datagrams_.AddOutlet(link, fd, ifindex); }
  void RemoveOutlet(LinkId link) { datagrams_.RemoveOutlet(link); }

  void Add(Batch batch);
  // What has been carried out since the last call.
  std::vector<Carried> TakeFinished();

  // Numbers of batches: all that was given so far, and up to which one everything is carried out.
  uint64_t given() const { return given_; }
  uint64_t done() const { return done_; }

 private:
  bool Waits(const Run& run) const;

  NetlinkThread* const netlink_;
  Datagrams datagrams_;
  std::vector<Carried> finished_;
  // Repeats that the netlink thread has: while one waits, its next turn adds nothing to it.
  std::unordered_set<const Plan*> repeating_;
  uint64_t given_ = 0;
  uint64_t done_ = 0;
};

}  // namespace vipd
