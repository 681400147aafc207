#include "engine/paced_frames.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/clock.h"
#include "base/frame.h"

namespace vipd {

std::optional<OpenFailure> PacedFrames::Open() {
  Opened frames = OpenFrames();
  if (!frames.ok()) return OpenFailure{frames.failed_call, frames.error};
  frames_ = std::move(frames.fd);
  return std::nullopt;
}

void PacedFrames::Run(Us now) {
  pacer_.Run(now, [this](const PacedFrame& frame) { return SendOne(frame); });
}

// A full queue of the device refuses it like any other fault: the next turn is another frame's.
Us PacedFrames::SendOne(const PacedFrame& frame) {
  const Step& step = frame.step();
  sockaddr_storage to;
  const socklen_t length = PutFrameAddress(&to, step.bytes, step.target);
  ssize_t n;
  do {
    n = sendto(frames_.get(), step.bytes.data(), step.bytes.size(), MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&to), length);
  } while (n < 0 && errno == EINTR);
  const int error = n < 0 ? errno : 0;
  const Us at = MonotonicNow();
  if (error == 0) {
    failing_.erase(step.pace.key);
    return at;
  }
  if (std::exchange(failing_[step.pace.key], error) == error) return at;
  Event event = Event::Of(Event::Kind::kFailed, frame.slot, frame.generation);
  event.at = at;
  event.step = frame.at;
  event.step_kind = StepKind::kFrame;
  event.call = "sendto";
  event.error = error;
  failed_(std::move(event));
  return at;
}

}  // namespace vipd
