// What either engine may do with the page of an exchange (base/exchange.h), and in which order. The
// threads say when, and so does the simulator: no system call, and nothing is woken from here.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/exchange.h"
#include "base/seal_table.h"
#include "engine/core.h"

namespace vipd {

// The first one's turn: it offers, gives once it is quiet, and has given for good or takes back.
class ExchangeGiver {
 public:
  explicit ExchangeGiver(const EnginePolicy& policy) : policy_(policy) {}

  // The state with the number `attempt` (from 1), made when so many events had been acknowledged.
  // True: with an exchange that is new here.
  bool Offer(std::shared_ptr<Exchange> exchange, uint32_t attempt, uint64_t acknowledged, Us now);
  // Not with that state; `for_good`: with none, and the exchange is no more.
  void Withdraw(bool for_good);
  // Null: there is none.
  const std::shared_ptr<Exchange>& exchange() const { return exchange_; }

  // The second is ready with what is offered.
  bool wanted() const;
  // It has been made void: why, as a sentence for the operator, told once, and the exchange is no
  // more. Null: it has not.
  const char* Over();
  // Nothing that was told is unjudged, and no advert is due within `exchange_room`, or one has been
  // for `exchange_room_patience`: what was offered is all that there is.
  bool Quiet(Core* core, Us now) const;
  // `handled`: every packet before that instant has been read. False: a slot is in the middle of a
  // change, or the word is another by now. True: nothing may be done until `Look` says so.
  bool Give(Core* core, const SealTable& seals, Us handled, Us now);
  // When what was given is taken back: as the next advert is due, at most `exchange_taken_most`
  // after it was given; `exchange_taken_least` after it where one is always due.
  Us until() const { return until_; }
  enum class Outcome : uint8_t {
    kGiven,  // still
    kTaken,  // for good
    kBack    // the slots are the first one's again
  };
  Outcome Look(Us now);

 private:
  const EnginePolicy policy_;
  std::shared_ptr<Exchange> exchange_;
  bool offering_ = false;
  Us offered_at_ = 0;
  uint64_t offered_after_ = 0;  // events, when what is offered was made
  uint32_t givings_ = 0;
  uint32_t given_ = 0;  // the word
  Us until_ = 0;
};

// The second one's turn: it is ready, takes up what the first one knows, and takes.
class ExchangeTaker {
 public:
  explicit ExchangeTaker(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  const Exchange& exchange() const { return *exchange_; }
  // It has orders by the state with that number. `slots`: by slot of the first, the slot here.
  void Ready(uint32_t attempt, std::unordered_map<SlotId, SlotId> slots);
  // `Ready` was called, and has not been said.
  bool to_be_said() const { return ready_for_ != 0; }
  void SayReady();
  bool given() const { return exchange_->page()->state() == ExchangePage::kGiven; }
  // True: the core stands as the first one's did. False: too late, or refused, which makes the word
  // void: the entries are damaged, or a slot stands otherwise than the orders say.
  bool TakeUp(Core* core, const SealTable& seals);
  // After `TakeUp`, from which on this process's warden acts if it has to. False: too late.
  bool Take();
  // Packets since then have not been read by the first one.
  Us handled() const { return handled_; }

 private:
  bool Refuse(ExchangePage::Refusal why);

  const std::shared_ptr<Exchange> exchange_;
  uint32_t ready_for_ = 0;
  uint32_t given_ = 0;  // the word
  std::unordered_map<SlotId, SlotId> slots_;
  Us handled_ = 0;
};

}  // namespace vipd
