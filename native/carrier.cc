#include "carrier.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "netlink.h"

namespace vipd {

namespace {

// Requests in one send: their answers fit into the receive buffer, and the kernel is done in about
// a millisecond.
constexpr size_t kNetlinkSlice = 64;
constexpr size_t kFrameSlice = 128;
constexpr size_t kMessagesPerCall = 64;
// After so many the caller looks at its sockets again; a few addresses and their first frames go in
// one turn, so that nothing comes between an address and its announcement.
constexpr size_t kStepsPerTurn = 64;

// Fixed places for what sendmmsg needs, so that a repeat allocates nothing.
struct Outgoing {
  std::array<mmsghdr, kMessagesPerCall> headers;
  std::array<iovec, kMessagesPerCall> parts;
  std::array<sockaddr_storage, kMessagesPerCall> to;

  void Put(size_t at, const Bytes& bytes, socklen_t address_length) {
    parts[at] = {const_cast<uint8_t*>(bytes.data()), bytes.size()};
    headers[at] = {};
    headers[at].msg_hdr.msg_name = &to[at];
    headers[at].msg_hdr.msg_namelen = address_length;
    headers[at].msg_hdr.msg_iov = &parts[at];
    headers[at].msg_hdr.msg_iovlen = 1;
  }
};

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

socklen_t PutFrameAddress(sockaddr_storage* storage, const Step& step) {
  *storage = {};
  auto* ll = reinterpret_cast<sockaddr_ll*>(storage);
  ll->sll_family = AF_PACKET;
  ll->sll_ifindex = step.target;
  ll->sll_halen = ETH_ALEN;
  if (step.bytes.size() >= ETH_HLEN) {
    memcpy(ll->sll_addr, step.bytes.data(), ETH_ALEN);
    memcpy(&ll->sll_protocol, step.bytes.data() + 2 * ETH_ALEN, sizeof ll->sll_protocol);
  }
  return sizeof *ll;
}

// Sends `count` messages; `sent(i)` and `failed(i, errno)` say what became of each.
template <typename Sent, typename Failed>
void SendAll(int fd, Outgoing* out, size_t count, Sent sent, Failed failed) {
  for (size_t at = 0; at < count;) {
    const int n = sendmmsg(fd, &out->headers[at], static_cast<unsigned>(count - at), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      failed(at, n < 0 ? errno : EIO);
      at += 1;
      continue;
    }
    for (int i = 0; i < n; ++i) sent(at + static_cast<size_t>(i));
    at += static_cast<size_t>(n);
  }
}

// A missing route or a link without carrier passes; an interface that is no more does not. Which
// errno its sockets answer with depends on the family, so the interface itself is looked for.
bool MeansLinkGone(int error, int ifindex) {
  if (error == ENODEV || error == ENXIO || error == EBADF) return true;
  char name[IF_NAMESIZE];
  return ifindex != 0 && if_indextoname(static_cast<unsigned>(ifindex), name) == nullptr;
}

}  // namespace

Us MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<Us>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

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

void Carrier::Add(Batch batch) {
  if (batch.empty()) return;
  Job& job = jobs_.emplace_back();
  job.steps = Arrange(batch);
  job.carried.batch = std::move(batch);
  SendDatagrams(&job);
}

void Carrier::Abandon() {
  for (Job& job : jobs_) {
    job.netlink_done = job.steps.netlink.size();
    job.frames_done = job.steps.frames.size();
  }
}

std::vector<Carried> Carrier::Continue() {
  std::vector<Carried> finished;
  size_t carried = 0;
  while (!jobs_.empty()) {
    Job& job = jobs_.front();
    const bool requests = job.netlink_done < job.steps.netlink.size();
    const bool frames = job.frames_done < job.steps.frames.size();
    if (requests || frames) {
      if (carried >= kStepsPerTurn) break;
      carried += requests ? SendNetlinkSlice(&job) : SendFrameSlice(&job);
      continue;
    }
    for (Run& run : job.carried.batch) {
      if (run.done_at == 0) run.done_at = MonotonicNow();
      if (run.first_at == 0) run.first_at = run.done_at;
    }
    std::ranges::stable_sort(job.carried.failures, {}, &Failure::run);
    finished.push_back(std::move(job.carried));
    jobs_.pop_front();
  }
  return finished;
}

const Step& Carrier::StepAt(const Job& job, Place place) const {
  return job.carried.batch[place.run].plan->steps[place.step];
}

void Carrier::Done(Job* job, Place place, Us now) {
  Run& run = job->carried.batch[place.run];
  if (run.first_at == 0) run.first_at = now;
  run.done_at = now;
}

void Carrier::Fail(Job* job, Place place, const char* call, int error, std::string detail) {
  job->carried.failures.push_back({place.run, place.step, call, error, std::move(detail)});
}

void Carrier::SendDatagrams(Job* job) {
  const auto& places = job->steps.datagrams;
  for (size_t from = 0; from < places.size();) {
    const int32_t link = StepAt(*job, places[from]).target;
    size_t to = from;
    while (to < places.size() && to - from < kMessagesPerCall &&
           StepAt(*job, places[to]).target == link)
      ++to;
    SendLinkDatagrams(job, from, to);
    from = to;
  }
}

void Carrier::SendLinkDatagrams(Job* job, size_t from, size_t to) {
  const auto& places = job->steps.datagrams;
  const auto found = outlets_.find(StepAt(*job, places[from]).target);
  if (found == outlets_.end()) {
    for (size_t i = from; i < to; ++i)
      Fail(job, places[i], "sendmmsg", ENODEV, "the link is closed");
    return;
  }
  Outgoing out;
  for (size_t i = from; i < to; ++i) {
    const Step& step = StepAt(*job, places[i]);
    out.Put(i - from, step.bytes, PutAddress(&out.to[i - from], step.to, found->second.ifindex));
  }
  Us now = 0;
  const auto sent = [&](size_t i) {
    if (now == 0) now = MonotonicNow();
    found->second.failed = false;
    Done(job, places[from + i], now);
    job->carried.batch[places[from + i].run].sent_at = now;
  };
  const auto failed = [&](size_t i, int error) { DatagramFailed(job, places[from + i], error); };
  SendAll(found->second.fd, &out, to - from, sent, failed);
}

void Carrier::DatagramFailed(Job* job, Place place, int error) {
  Fail(job, place, "sendmmsg", error);
  const LinkId link = StepAt(*job, place).target;
  Outlet& outlet = outlets_[link];
  if (outlet.failed || !MeansLinkGone(error, outlet.ifindex)) return;
  outlet.failed = true;
  link_failed_(link, "sendmmsg", error);
}

size_t Carrier::SendFrameSlice(Job* job) {
  const auto& places = job->steps.frames;
  const size_t begin = job->frames_done;
  const size_t end = std::min(places.size(), job->frames_done + kFrameSlice);
  while (job->frames_done < end) {
    const size_t from = job->frames_done;
    const size_t count = std::min(end - from, kMessagesPerCall);
    Outgoing out;
    for (size_t i = 0; i < count; ++i) {
      const Step& step = StepAt(*job, places[from + i]);
      out.Put(i, step.bytes, PutFrameAddress(&out.to[i], step));
    }
    const auto sent = [&](size_t i) { Done(job, places[from + i], MonotonicNow()); };
    const auto failed = [&](size_t i, int error) {
      Fail(job, places[from + i], "sendmmsg", error);
    };
    SendAll(frames_fd_, &out, count, sent, failed);
    job->frames_done += count;
  }
  return end - begin;
}

// Many requests in one send. The kernel works on them before the call returns, so the answers wait
// already.
size_t Carrier::SendNetlinkSlice(Job* job) {
  const auto& places = job->steps.netlink;
  const size_t from = job->netlink_done;
  const size_t count = std::min(places.size() - from, kNetlinkSlice);
  const uint32_t first_sequence = sequence_ + 1;
  requests_.clear();
  for (size_t i = 0; i < count; ++i) {
    const Bytes& bytes = StepAt(*job, places[from + i]).bytes;
    nlmsghdr header;
    memcpy(&header, bytes.data(), sizeof header);
    header.nlmsg_flags |= NLM_F_ACK;
    header.nlmsg_seq = ++sequence_;
    const size_t at = requests_.size();
    requests_.insert(requests_.end(), bytes.begin(), bytes.end());
    memcpy(requests_.data() + at, &header, sizeof header);
    requests_.resize(NLMSG_ALIGN(requests_.size()));
  }
  job->netlink_done += count;
  std::vector<bool> answered(count);
  int error = 0;
  if (send(route_fd_, requests_.data(), requests_.size(), MSG_DONTWAIT) < 0)
    error = errno;
  else
    error = ReadAnswers(job, from, first_sequence, &answered);
  for (size_t i = 0; i < count; ++i) {
    if (answered[i]) continue;
    Fail(job, places[from + i], "netlink", error == 0 ? EIO : error, "no answer from the kernel");
  }
  return count;
}

// 0, or the errno that ended the reading before all were answered.
int Carrier::ReadAnswers(Job* job, size_t from, uint32_t first_sequence,
                         std::vector<bool>* answered) {
  alignas(nlmsghdr) std::array<uint8_t, 32 * 1024> buffer;
  size_t left = answered->size();
  while (left > 0) {
    const ssize_t n = recv(route_fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN ? 0 : errno;
    ForEachMessage({buffer.data(), static_cast<size_t>(n)}, [&](const nlmsghdr* header) {
      TakeAnswer(job, from, answered->size(), first_sequence, header, answered);
      return true;
    });
    left = static_cast<size_t>(std::ranges::count(*answered, false));
  }
  return 0;
}

void Carrier::TakeAnswer(Job* job, size_t from, size_t count, uint32_t first_sequence,
                         const nlmsghdr* header, std::vector<bool>* answered) {
  const size_t at = header->nlmsg_seq - first_sequence;
  if (header->nlmsg_type != NLMSG_ERROR || at >= count) return;
  if (header->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) return;
  (*answered)[at] = true;
  const Place place = job->steps.netlink[from + at];
  const int error = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
  const Step& step = StepAt(*job, place);
  Done(job, place, MonotonicNow());
  if (error == 0 || std::ranges::count(step.tolerate, error) > 0) return;
  nlmsghdr request;
  memcpy(&request, step.bytes.data(), sizeof request);
  Fail(job, place, RequestName(request.nlmsg_type), error, ExtendedText(header));
}

}  // namespace vipd
