// Carries plans out while the caller waits: the warden's way. The engine has `EngineCarrier`.
#pragma once

#include "base/datagrams.h"
#include "base/step_carrier.h"

namespace vipd {

class Carrier {
 public:
  explicit Carrier(SealTable* seals) : datagrams_(seals, [](LinkId, const char*, int) {}) {}

  // The call that failed.
  std::optional<OpenFailure> Open() {
    const auto failure = datagrams_.Open();
    return failure.has_value() ? failure : steps_.Open();
  }

  void AddOutlet(LinkId link, int fd, int ifindex) { datagrams_.AddOutlet(link, fd, ifindex); }
  void RemoveOutlet(LinkId link) { datagrams_.RemoveOutlet(link); }

  // Sends the batch's datagrams; the rest waits for `Continue`.
  void Add(Batch batch);
  bool busy() const { return steps_.busy(); }
  // Some of what waits.
  void Continue();

 private:
  Datagrams datagrams_;
  StepCarrier steps_;
};

}  // namespace vipd
