// The core as a JavaScript object with virtual time: the very class that the engine's thread
// drives, for tests and the simulator.
#pragma once

#include <napi.h>

#include <map>
#include <memory>
#include <unordered_map>

#include "base/step_queue.h"
#include "engine/core.h"
#include "engine/exchange_turns.h"
#include "engine/kept_packets.h"
#include "engine/pacer.h"

namespace vipd {

class CoreObject : public Napi::ObjectWrap<CoreObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit CoreObject(const Napi::CallbackInfo& info);

 private:
  void AddLink(const Napi::CallbackInfo& info);
  void AddSlot(const Napi::CallbackInfo& info);
  void SetPeers(const Napi::CallbackInfo& info);
  void SetLiveness(const Napi::CallbackInfo& info);
  void RemoveSlot(const Napi::CallbackInfo& info);
  void SetSealOf(const Napi::CallbackInfo& info);
  Napi::Value ReadSealMemory(const Napi::CallbackInfo& info);
  void SetWall(const Napi::CallbackInfo& info);
  Napi::Value SealStep(const Napi::CallbackInfo& info);
  void Order(const Napi::CallbackInfo& info);
  void Packet(const Napi::CallbackInfo& info);
  void Renew(const Napi::CallbackInfo& info);
  void Acknowledge(const Napi::CallbackInfo& info);
  void LoseMaster(const Napi::CallbackInfo& info);
  void PreemptedByWarden(const Napi::CallbackInfo& info);
  Napi::Value Tick(const Napi::CallbackInfo& info);
  Napi::Value NextDeadline(const Napi::CallbackInfo& info);
  Napi::Value ReadSlot(const Napi::CallbackInfo& info);
  Napi::Value ReadGaps(const Napi::CallbackInfo& info);
  Napi::Value ReadLink(const Napi::CallbackInfo& info);
  Napi::Value ReadSenders(const Napi::CallbackInfo& info);
  Napi::Value Answer(const Napi::CallbackInfo& info);
  // core_exchange_object.cc: as the engine's thread does it, turn by turn.
  void Hold(const Napi::CallbackInfo& info);
  void Ready(const Napi::CallbackInfo& info);
  void SayReady(const Napi::CallbackInfo& info);
  Napi::Value TakeUp(const Napi::CallbackInfo& info);
  Napi::Value Take(const Napi::CallbackInfo& info);
  void Offer(const Napi::CallbackInfo& info);
  void Withdraw(const Napi::CallbackInfo& info);
  Napi::Value Over(const Napi::CallbackInfo& info);
  Napi::Value Give(const Napi::CallbackInfo& info);
  Napi::Value LookGiven(const Napi::CallbackInfo& info);
  struct Turn {
    Napi::Env env;
    Us now;
    Napi::Value refuse;
    Napi::Array effects;
  };
  bool Leaves(const Turn* turn, Sealer* sealer, uint32_t run, SlotId slot, Step* step);
  void TakeBatch(Turn* turn);
  void AnswerAll(Turn* turn);
  void RunPacer(Turn* turn);
  int Tell(Turn* turn, SlotId slot, int64_t generation, uint32_t at, const Step& step);
  void TakeSteps(Turn* turn, Carried* carried, const std::vector<Place>& places);
  Napi::Object OutcomeOf(const Turn& turn);

  const EnginePolicy policy_;
  std::unique_ptr<Core> core_;
  std::unique_ptr<SealTable> seals_;
  // Also of slots without sockets, which may get others.
  std::map<SlotId, std::shared_ptr<SealSenders>> senders_;
  StepQueue steps_;  // what the kernel has not answered
  Pacer pacer_;
  ExchangeGiver giver_;
  std::unique_ptr<ExchangeTaker> taker_;
  KeptPackets kept_;
  std::unordered_map<SlotId, std::shared_ptr<SlotCounters>> slots_;
  std::unordered_map<LinkId, std::shared_ptr<LinkCounters>> links_;
};

}  // namespace vipd
