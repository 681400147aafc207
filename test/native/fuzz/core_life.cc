#include "core_life.h"

#include <algorithm>

namespace vipd {

namespace {

constexpr int kOperationsMax = 600;

}  // namespace

Life::Life(Input* in)
    : in_(*in), liveness_(in->Below(3) * kSecond), core_(kPolicy, liveness_, now_), renewed_(now_) {
  for (LinkId link = 1; link <= kLinks; ++link) AddLink(link);
}

void Life::Run() {
  for (int i = 0; i < kOperationsMax && !in_.empty(); ++i) {
    Operate();
    CheckSlots();
  }
  while (!outstanding_.empty()) Settle();
  TakeEvents();
}

void Life::Operate() {
  switch (in_.Below(16)) {
    case 0:
      return AddSlot();
    case 1:
      return RemoveSlot();
    case 2:
      return ToggleLink();
    case 3:
    case 4:
    case 5:
    case 6:
      return Order();
    case 7:
    case 8:
      return Packet();
    case 9:
      return Flood();
    case 10:
      return in_.Below(2) == 0 ? Renew() : WorkOff();
    case 11:
      return PreemptedByWarden();
    case 12:
      return outstanding_.empty() ? TakeTouched() : Settle();
    case 13:
      return in_.Below(2) == 0 ? TakeEvents() : Kernel();
    default:
      return WakeUp();
  }
}

void Life::AddLink(LinkId link) {
  auto counters = std::make_shared<LinkCounters>();
  links_[link] = counters;
  core_.AddLink(link, counters);
}

void Life::ToggleLink() {
  const LinkId link = 1 + in_.Below(kLinks);
  if (!links_.contains(link)) return AddLink(link);
  core_.RemoveLink(link);
  received_.erase(links_.at(link).get());
  links_.erase(link);
  for (auto at = slots_.begin(); at != slots_.end();) {
    const bool gone = at->second.link == link;
    if (gone) removed_[at->first] = core_.raised();
    at = gone ? slots_.erase(at) : std::next(at);
  }
}

void Life::AddSlot() {
  Asked slot;
  slot.link = 1 + in_.Below(kLinks);
  slot.vrid = static_cast<uint8_t>(1 + in_.Below(kVrids));
  if (slots_.size() == kSlotsMax || !links_.contains(slot.link)) return;
  if (in_.Below(2) == 0) slot.peers = {SomeSource(&in_)};
  if (!IsFree(slot)) return;
  const SlotId id = ++last_slot_;
  core_.AddSlot(id, slot.link, slot.vrid, slot.peers, slot.counters);
  slots_[id] = std::move(slot);
  Require(Idles(id), "a new slot idles");
}

void Life::RemoveSlot() {
  const SlotId id = SomeSlot();
  if (id == 0) return;
  core_.RemoveSlot(id);
  slots_.erase(id);
  removed_[id] = core_.raised();
}

// No other slot of its link and VRID, or peers on all sides and none of them shared.
bool Life::IsFree(const Asked& wanted) const {
  return std::ranges::none_of(slots_, [&](const auto& entry) {
    const Asked& slot = entry.second;
    const bool same = slot.link == wanted.link && slot.vrid == wanted.vrid;
    const bool alone = slot.peers.empty() || wanted.peers.empty();
    return same && (alone || slot.peers == wanted.peers);
  });
}

// A VRID that is one slot's alone is raised whatever the source.
Asked* Life::SlotOf(LinkId link, uint8_t vrid, const Address& from) {
  std::vector<Asked*> all;
  for (auto& [id, slot] : slots_)
    if (slot.link == link && slot.vrid == vrid) all.push_back(&slot);
  if (all.size() == 1) return all.front();
  for (Asked* slot : all)
    if (std::ranges::find(slot->peers, from) != slot->peers.end()) return slot;
  return nullptr;
}

// 0: there is none.
SlotId Life::SomeSlot() {
  if (slots_.empty()) return 0;
  return std::next(slots_.begin(), in_.Below(static_cast<int>(slots_.size())))->first;
}

// A reader that keeps a copy of every standing by what is touched has the right one.
void Life::TakeTouched() {
  const std::vector<SlotId> touched = core_.TakeTouched();
  for (const SlotId id : touched) copies_[id] = core_.StandingOf(id);
  for (const auto& [id, slot] : slots_) {
    const Core::Standing now = core_.StandingOf(id);
    const Core::Standing& copy = copies_[id];
    Require(copy.leads == now.leads && copy.lead == now.lead, "a change of standing is touched");
  }
  for (const auto& [id, raised] : removed_) Require(copies_[id].lead == nullptr, "so is an end");
}

void Life::CheckSlots() {
  const std::vector<SlotId> ids = core_.Slots();
  const auto same = [](SlotId id, const auto& entry) { return id == entry.first; };
  Require(std::ranges::equal(ids, slots_, same), "the slots are those that were added");
  for (const Batch& batch : outstanding_)
    for (const vipd::Run& run : batch)
      if (run.tenure != nullptr && !run.tenure->over && slots_.contains(run.slot))
        Require(Leads(run.slot), "what waits for a lead is discarded with it");
}

}  // namespace vipd
