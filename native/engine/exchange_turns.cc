#include "engine/exchange_turns.h"

#include <algorithm>
#include <utility>

namespace vipd {

namespace {

const char* TextOf(uint32_t word) {
  switch (ExchangePage::RefusalIn(word)) {
    case ExchangePage::kDamaged:
      return "what was passed in shared memory is damaged";
    case ExchangePage::kOtherwise:
      return "an instance stands otherwise there";
    default:
      return "a warden has acted, or its process has ended";
  }
}

}  // namespace

// --- the first ---

bool ExchangeGiver::Offer(std::shared_ptr<Exchange> exchange, uint32_t attempt,
                          uint64_t acknowledged, Us now) {
  const bool first = exchange_ != exchange;
  exchange_ = std::move(exchange);
  offered_at_ = now;
  offered_after_ = acknowledged;
  offering_ = true;
  exchange_->page()->offered = attempt;
  return first;
}

void ExchangeGiver::Withdraw(bool for_good) {
  offering_ = false;
  if (exchange_ == nullptr) return;
  ExchangePage* page = exchange_->page();
  if (!for_good) {
    page->Change(ExchangePage::kReady, ExchangePage::kPreparing);
    return;
  }
  page->word = ExchangePage::kVoid;
  exchange_.reset();
}

bool ExchangeGiver::wanted() const {
  if (!offering_) return false;
  const ExchangePage* page = exchange_->page();
  return page->state() == ExchangePage::kReady && page->ready_for == page->offered;
}

const char* ExchangeGiver::Over() {
  if (exchange_ == nullptr || exchange_->page()->state() != ExchangePage::kVoid) return nullptr;
  const char* why = TextOf(exchange_->page()->word);
  offering_ = false;
  exchange_.reset();
  return why;
}

bool ExchangeGiver::Quiet(Core* core, Us now) const {
  if (core->has_events() || core->raised() != offered_after_) return false;
  return core->NextDeadline() - now >= policy_.exchange_room ||
         now - offered_at_ >= policy_.exchange_room_patience;
}

bool ExchangeGiver::Give(Core* core, const SealTable& seals, Us handled, Us now) {
  std::vector<ExchangeEntry> told;
  if (!core->Tell(&told)) return false;
  for (const SlotId slot : core->Slots())
    if (const auto* sequence = seals.SequenceOf(slot); sequence != nullptr && *sequence != 0)
      told.push_back({slot, ExchangeEntry::kSequence, *sequence});
  if (!exchange_->Write(told, handled)) return false;
  given_ = ExchangePage::kGiven | (++givings_ << ExchangePage::kStateBits);
  if (!exchange_->page()->Change(ExchangePage::kReady, given_)) return false;
  // Nothing is late on account of it, unless something is always due.
  const Us room = core->NextDeadline() - now;
  until_ = now + (room < policy_.exchange_room ? policy_.exchange_taken_least
                                               : std::min(room, policy_.exchange_taken_most));
  return true;
}

// Taken by this very look, or never: after a word that the second finds changed it cannot take.
ExchangeGiver::Outcome ExchangeGiver::Look(Us now) {
  ExchangePage* page = exchange_->page();
  if (page->word == given_ && now >= until_) page->Change(given_, ExchangePage::kReady);
  if (page->state() == ExchangePage::kTaken) return Outcome::kTaken;
  return page->word == given_ ? Outcome::kGiven : Outcome::kBack;
}

// --- the second ---

void ExchangeTaker::Ready(uint32_t attempt, std::unordered_map<SlotId, SlotId> slots) {
  slots_ = std::move(slots);
  ready_for_ = attempt;
}

void ExchangeTaker::SayReady() {
  ExchangePage* page = exchange_->page();
  page->ready_for = std::exchange(ready_for_, 0);
  page->Change(ExchangePage::kPreparing, ExchangePage::kReady);
}

bool ExchangeTaker::TakeUp(Core* core, const SealTable& seals) {
  const ExchangePage* page = exchange_->page();
  given_ = page->word;
  if (ExchangePage::StateIn(given_) != ExchangePage::kGiven) return false;
  const auto entries = exchange_->Read();
  if (!entries.has_value()) return Refuse(ExchangePage::kDamaged);
  handled_ = page->handled;
  for (const ExchangeEntry& entry : *entries) {
    const auto slot = slots_.find(entry.slot);
    if (slot == slots_.end()) continue;
    if (!core->TakeUp(entry, slot->second)) return Refuse(ExchangePage::kOtherwise);
    if (entry.kind == ExchangeEntry::kSequence) seals.GoOnFrom(slot->second, entry.key);
  }
  return true;
}

// What was read while the first wrote anew is no sign of damage: the word is another then.
bool ExchangeTaker::Refuse(ExchangePage::Refusal why) {
  exchange_->page()->Change(given_, ExchangePage::Void(why));
  return false;
}

bool ExchangeTaker::Take() { return exchange_->page()->Change(given_, ExchangePage::kTaken); }

}  // namespace vipd
