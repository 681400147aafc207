// Carries plans out: adverts at once, addresses and frames in slices between which the caller looks
// after its sockets and deadlines, so that a thousand addresses delay no advert. Batches are worked
// off in the order in which they were given; within one, the order is `Arrange`'s.
#pragma once

#include <deque>
#include <functional>
#include <unordered_map>
#include <vector>

#include "plan.h"
#include "sockets.h"

struct nlmsghdr;

namespace vipd {

Us MonotonicNow();

// Where datagrams of a link leave.
struct Outlet {
  int fd = -1;
  int ifindex = 0;
  bool failed = false;  // the last datagram was refused because the link is gone; said once
};

struct Carried {
  Batch batch;
  std::vector<Failure> failures;  // in the order of the runs
};

class Carrier {
 public:
  using LinkFailed = std::function<void(LinkId, const char* call, int error)>;

  Carrier(int route_fd, int frames_fd, LinkFailed link_failed)
      : route_fd_(route_fd), frames_fd_(frames_fd), link_failed_(std::move(link_failed)) {}

  void AddOutlet(LinkId link, int fd, int ifindex) { outlets_[link] = {fd, ifindex, false}; }
  void RemoveOutlet(LinkId link) { outlets_.erase(link); }

  // Sends the batch's datagrams; the rest waits for `Continue`.
  void Add(Batch batch);
  bool busy() const { return !jobs_.empty(); }
  // Drops what waits; the batches are finished by `Continue` without it.
  void Abandon();
  // Some of what waits, at least a slice of it. Returns the batches that are finished.
  std::vector<Carried> Continue();

 private:
  struct Job {
    Carried carried;
    Arranged steps;
    size_t netlink_done = 0;
    size_t frames_done = 0;
  };

  const Step& StepAt(const Job& job, Place place) const;
  void Done(Job* job, Place place, Us now);
  void Fail(Job* job, Place place, const char* call, int error, std::string detail = "");
  void SendDatagrams(Job* job);
  void SendLinkDatagrams(Job* job, size_t from, size_t to);
  void DatagramFailed(Job* job, Place place, int error);
  size_t SendNetlinkSlice(Job* job);
  size_t SendFrameSlice(Job* job);
  int ReadAnswers(Job* job, size_t from, uint32_t first_sequence, std::vector<bool>* answered);
  void TakeAnswer(Job* job, size_t from, size_t count, uint32_t first_sequence,
                  const nlmsghdr* header, std::vector<bool>* answered);

  const int route_fd_;
  const int frames_fd_;
  const LinkFailed link_failed_;
  std::unordered_map<LinkId, Outlet> outlets_;
  std::deque<Job> jobs_;
  uint32_t sequence_ = 0;
  Bytes requests_;
};

// The name of a request's type, for people: 'RTM_NEWADDR'.
const char* RequestName(uint16_t type);
// The kernel's own words in an acknowledgement, or nothing.
std::string ExtendedText(const nlmsghdr* header);

}  // namespace vipd
