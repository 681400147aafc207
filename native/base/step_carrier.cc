#include "base/step_carrier.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/frame.h"
#include "base/netlink.h"
#include "base/outgoing.h"

namespace vipd {

namespace {

// A send that took longer has waited for the rtnl lock, for each of its requests perhaps. It cannot
// be called back when its lead is over, so the next ones are smaller until the lock is free again.
constexpr Us kSendSlow = 10'000;
constexpr size_t kSlowShare = 4;

}  // namespace

std::optional<OpenFailure> StepCarrier::Open() {
  Opened route = OpenRoute();
  if (!route.ok()) return OpenFailure{route.failed_call, route.error};
  Opened frames = OpenFrames();
  if (!frames.ok()) return OpenFailure{frames.failed_call, frames.error};
  route_ = std::move(route.fd);
  frames_ = std::move(frames.fd);
  return std::nullopt;
}

void StepCarrier::Continue() {
  const auto slice = queue_.Next(requests_per_send_, Outgoing::kMessagesMax);
  if (!slice.has_value()) return;
  if (slice->kind == StepKind::kFrame) return SendFrames(slice->places);
  const Us before = MonotonicNow();
  SendRequests(slice->places);
  const bool slow = MonotonicNow() - before > kSendSlow;
  requests_per_send_ = slow ? std::max<size_t>(requests_per_send_ / kSlowShare, 1)
                            : std::min(requests_per_send_ * 2, kRequestsMax);
}

std::vector<Carried> StepCarrier::TakeFinished() { return queue_.TakeFinished(MonotonicNow()); }

void StepCarrier::SendFrames(const std::vector<Place>& places) {
  Carried* carried = queue_.front();
  Outgoing out;
  std::array<Place, Outgoing::kMessagesMax> leaving;
  size_t count = 0;
  for (const Place place : places) {
    const Step& step = StepAt(carried->batch, place);
    if (IsPaced(step)) {
      paced_.push_back(PacedAt(carried->batch, place));
      carried->Done(place, MonotonicNow());
      continue;
    }
    leaving[count] = place;
    out.Put(count, step.bytes, PutFrameAddress(&out.to[count], step.bytes, step.target));
    count += 1;
  }
  const auto sent = [&](size_t i) { carried->Done(leaving[i], MonotonicNow()); };
  const auto failed = [&](size_t i, int error) {
    if (TakenByFilter(StepAt(carried->batch, leaving[i]).bytes, error)) return sent(i);
    carried->Fail(leaving[i], "sendmmsg", error);
  };
  SendAll(frames_.get(), &out, count, sent, failed);
}

// The kernel works on all of them before the call returns, so the answers wait already.
void StepCarrier::SendRequests(const std::vector<Place>& places) {
  Carried* carried = queue_.front();
  const uint32_t first_sequence = sequence_ + 1;
  requests_.clear();
  for (const Place place : places) {
    const Bytes& bytes = StepAt(carried->batch, place).bytes;
    nlmsghdr header;
    memcpy(&header, bytes.data(), sizeof header);
    header.nlmsg_flags |= NLM_F_ACK;
    header.nlmsg_seq = ++sequence_;
    const size_t at = requests_.size();
    requests_.insert(requests_.end(), bytes.begin(), bytes.end());
    memcpy(requests_.data() + at, &header, sizeof header);
    requests_.resize(NLMSG_ALIGN(requests_.size()));
  }
  std::vector<bool> answered(places.size());
  int error = 0;
  if (send(route_.get(), requests_.data(), requests_.size(), MSG_DONTWAIT) < 0)
    error = errno;
  else
    error = ReadAnswers(places, first_sequence, &answered);
  for (size_t i = 0; i < places.size(); ++i) {
    if (answered[i]) continue;
    carried->Fail(places[i], "netlink", error == 0 ? EIO : error, "no answer from the kernel");
  }
}

// 0, or the errno that ended the reading before all were answered.
int StepCarrier::ReadAnswers(const std::vector<Place>& places, uint32_t first_sequence,
                             std::vector<bool>* answered) {
  alignas(nlmsghdr) std::array<uint8_t, 32 * 1024> buffer;
  size_t left = answered->size();
  while (left > 0) {
    const ssize_t n = recv(route_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN ? 0 : errno;
    ForEachMessage({buffer.data(), static_cast<size_t>(n)}, [&](const nlmsghdr* header) {
      TakeAnswer(places, first_sequence, header, answered);
      return true;
    });
    left = static_cast<size_t>(std::ranges::count(*answered, false));
  }
  return 0;
}

void StepCarrier::TakeAnswer(const std::vector<Place>& places, uint32_t first_sequence,
                             const nlmsghdr* header, std::vector<bool>* answered) {
  const size_t at = header->nlmsg_seq - first_sequence;
  if (header->nlmsg_type != NLMSG_ERROR || at >= places.size()) return;
  if (header->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) return;
  (*answered)[at] = true;
  Carried* carried = queue_.front();
  const int error = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
  const Step& step = StepAt(carried->batch, places[at]);
  carried->Done(places[at], MonotonicNow());
  if (error == 0 || std::ranges::count(step.tolerate, error) > 0) return;
  nlmsghdr request;
  memcpy(&request, step.bytes.data(), sizeof request);
  carried->Fail(places[at], RequestName(request.nlmsg_type), error, ExtendedText(header));
}

}  // namespace vipd
