// The engine's end of the warden: starts the process, keeps it told, and knows what it was told. It
// lives on the engine's thread except for what is marked as the main thread's. Nothing here waits:
// what the socket does not take at once is sent when it can be, and a slot or link that changes
// often meanwhile waits once. So a warden that does not read costs no memory; that it stands still
// shows in its beats.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "base/exchange.h"
#include "base/sockets.h"
#include "engine/core.h"
#include "engine/filter_gate.h"
#include "warden/warden_wire.h"

namespace vipd {

struct Link {
  LinkId id = 0;
  int family = 4;
  bool ah = false;  // its sockets are of protocol 51: an authentication header lies before each PDU
  int ifindex = 0;
  int packets_waiting_max = 0;  // what the receive buffer holds
  UniqueFd receiver;
  UniqueFd sender;
  std::unique_ptr<FilterGate> gate;  // of the receiver
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

// For the main thread. The executable lies beside the addon. The warden holds a lock on the file
// `lock_path`, which is made if it is missing; empty: no next daemon will look for it.
// `seals`: the descriptor of the table of seals.
StartedWarden StartWarden(int realtime_priority, Us beat, const std::string& lock_path,
                          const std::string& log_form, int seals);
// For the main thread. Kills a warden and does not wait. True when it has ended: from then on it
// cannot act.
bool EndWarden(int pid);
// For the main thread. Waits for the end of a warden that was dismissed; kills one that lingers.
void ReapWarden(int pid, const EnginePolicy& policy);

class WardenPort {
 public:
  // Forgets what an earlier warden was told.
  void Connect(const StartedWarden& started);
  // True: this warden gave leads up, and `Awake` has not said so.
  bool Disconnect();
  bool connected() const { return socket_ != nullptr; }
  int fd() const { return socket_->get(); }

  void AddLink(const LinkPtr& link);
  void RemoveLink(LinkId id);
  // `name`: of the slot's instance.
  void Update(SlotId slot, const Core::Standing& standing, const std::string& name);
  // Takes the warden's word that it is ready, before which it is told nothing. False: it is gone.
  bool Listen();
  // Hands over what waits. False: the warden is gone.
  bool Flush();
  // The socket is full: call `Flush` when it is not. What waits for the warden's word that it is
  // ready does not wait for the socket, which has room all the time then.
  bool backlog() const { return ready_ && !waiting_.empty(); }
  // It knows all that there is to know.
  bool told() const {
    return connected() && ready_ && waiting_.empty() && changed_links_.empty() &&
           changed_slots_.empty();
  }
  // From now on the word of the exchange decides whether this warden may act (warden.cc): ahead of
  // everything that it is not yet told.
  void Share(std::shared_ptr<const Exchange> exchange, ExchangeRole role);
  // No warden that could act is without that word.
  bool shared() const;
  void Dismiss();

  // The engine is awake at `now`, will be again at `next`, and vouches for its leads that long.
  // True: the warden gave them up before; `TakeNote` takes the mark away.
  bool Awake(Us now);
  void TakeNote();
  void SleepUntil(Us next);
  // The same as `Awake` without a look at what the warden did.
  void Vouch(Us now);

 private:
  struct Slot {
    PlanPtr plan;  // how its lead is given up; null when there is none any more
    std::string name;
    bool leads = false;
    Us late = 0;  // how late the engine may be before the warden acts
    PlanPtr plan_told;
    bool leads_told = false;
    bool changed = false;  // is in `changed_slots_`
  };
  struct Waiting {
    Bytes bytes;
    LinkPtr link;                                        // whose sender goes with it
    std::shared_ptr<const Exchange> exchange = nullptr;  // whose memory goes with it
  };

  void Put(const WardenMessage& message, LinkPtr link = nullptr);
  void PutNext();
  void PutLink(LinkId id, LinkPtr link);
  void PutSlot(SlotId id);
  ssize_t SendFirst();
  void SetLeads(Slot* slot, bool leads, Us late);
  void PromiseFrom(Us instant);

  std::shared_ptr<UniqueFd> socket_;
  std::shared_ptr<WardenPage> page_;
  bool ready_ = false;
  std::unordered_map<SlotId, Slot> slots_;
  std::deque<SlotId> changed_slots_;
  std::map<LinkId, LinkPtr> changed_links_;  // null: removed
  std::set<LinkId> links_told_;
  std::map<Us, int> lates_;      // of the leading slots
  std::deque<Waiting> waiting_;  // of one slot or link, encoded
};

}  // namespace vipd
