// Sends the frames that keep their distance, on the engine's thread: a take-over's first ones leave
// when the netlink thread has set their addresses, the others at their turn, whatever the kernel's
// lock or the main thread does meanwhile.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/sockets.h"
#include "engine/core.h"
#include "engine/pacer.h"

namespace vipd {

class PacedFrames {
 public:
  // `failed` is called for a frame that the kernel refuses otherwise than the one before it with
  // the same key.
  using Failed = std::function<void(Event)>;
  explicit PacedFrames(Failed failed) : failed_(std::move(failed)) {}

  // The call that failed.
  std::optional<OpenFailure> Open();

  void Add(PacedFrame frame) { pacer_.Add(std::move(frame)); }
  Us NextDeadline() const { return pacer_.NextDeadline(); }
  void Run(Us now);

 private:
  Us SendOne(const PacedFrame& frame);

  const Failed failed_;
  UniqueFd frames_;
  Pacer pacer_;
  std::map<std::string, int> failing_;  // errno, by key
};

}  // namespace vipd
