// The engine's end of the warden: starts the process, keeps it told, and knows what it was told. It
// lives on the engine's thread except for `StartWarden`. Nothing here waits: what the socket does
// not take at once is sent when it can be.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

#include "core.h"
#include "sockets.h"
#include "warden_wire.h"

namespace vipd {

struct Link {
  LinkId id = 0;
  int family = 4;
  int ifindex = 0;
  int packets_waiting_max = 0;  // what the receive buffer holds
  UniqueFd receiver;
  UniqueFd sender;
};
using LinkPtr = std::shared_ptr<const Link>;

// A warden that was started: its process, and what connects it.
struct StartedWarden {
  int pid = -1;
  std::shared_ptr<UniqueFd> socket;
  std::shared_ptr<WardenPage> page;
  const char* failed_call = nullptr;
  int error = 0;
};

// For the main thread. The executable lies beside the addon.
StartedWarden StartWarden(int realtime_priority);
// Waits for the end of a warden whose socket is closed or that was told goodbye; kills one that
// lingers.
void ReapWarden(int pid);

class WardenPort {
 public:
  // Forgets what an earlier warden was told.
  void Connect(const StartedWarden& started);
  void Disconnect();
  bool connected() const { return socket_ != nullptr; }
  int fd() const { return socket_->get(); }

  void AddLink(const LinkPtr& link);
  void RemoveLink(LinkId id);
  void Update(SlotId slot, const Core::Standing& standing);
  // Hands over what waits. False: the warden is gone.
  bool Flush();
  bool backlog() const { return !waiting_.empty(); }
  void Goodbye();

  // The engine is awake at `now`, will be again at `next`, and vouches for its leads that long.
  // True: the warden gave them up before; the mark is taken away.
  bool Awake(Us now);
  void SleepUntil(Us next);

 private:
  struct Told {
    PlanPtr plan;
    bool leads = false;
    Us late = 0;
  };
  struct Waiting {
    Bytes bytes;
    LinkPtr link;  // whose sender goes with it
  };

  void Send(const WardenMessage& message, LinkPtr link = nullptr);
  void SetLeads(Told* told, bool leads, Us late);
  void PromiseFrom(Us instant);

  std::shared_ptr<UniqueFd> socket_;
  std::shared_ptr<WardenPage> page_;
  std::unordered_map<SlotId, Told> told_;
  std::map<Us, int> lates_;  // of the leading slots
  std::deque<Waiting> waiting_;
};

}  // namespace vipd
