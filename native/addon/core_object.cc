#include "addon/core_object.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "addon/convert.h"

namespace vipd {

namespace {

int32_t IntAt(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Int32Value();
}

Us UsAt(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Int64Value();
}

}  // namespace

Napi::Function CoreObject::Define(Napi::Env env) {
  return DefineClass(env, "Core",
                     {InstanceMethod<&CoreObject::AddLink>("addLink"),
                      InstanceMethod<&CoreObject::AddSlot>("addSlot"),
                      InstanceMethod<&CoreObject::SetPeers>("setPeers"),
                      InstanceMethod<&CoreObject::SetLiveness>("setLiveness"),
                      InstanceMethod<&CoreObject::RemoveSlot>("removeSlot"),
                      InstanceMethod<&CoreObject::SetSealOf>("setSeal"),
                      InstanceMethod<&CoreObject::SetWall>("setWall"),
                      InstanceMethod<&CoreObject::ReadSenders>("senders"),
                      InstanceMethod<&CoreObject::ReadSealMemory>("sealMemory"),
                      InstanceMethod<&CoreObject::SealStep>("seal"),
                      InstanceMethod<&CoreObject::Order>("order"),
                      InstanceMethod<&CoreObject::Packet>("packet"),
                      InstanceMethod<&CoreObject::Renew>("renew"),
                      InstanceMethod<&CoreObject::Acknowledge>("acknowledge"),
                      InstanceMethod<&CoreObject::Tick>("tick"),
                      InstanceMethod<&CoreObject::Answer>("answer"),
                      InstanceMethod<&CoreObject::LoseMaster>("loseMaster"),
                      InstanceMethod<&CoreObject::PreemptedByWarden>("preemptedByWarden"),
                      InstanceMethod<&CoreObject::NextDeadline>("nextDeadline"),
                      InstanceMethod<&CoreObject::ReadSlot>("counters"),
                      InstanceMethod<&CoreObject::ReadGaps>("gaps"),
                      InstanceMethod<&CoreObject::ReadLink>("linkCounters"),
                      InstanceMethod<&CoreObject::Hold>("hold"),
                      InstanceMethod<&CoreObject::Ready>("ready"),
                      InstanceMethod<&CoreObject::SayReady>("sayReady"),
                      InstanceMethod<&CoreObject::TakeUp>("takeUp"),
                      InstanceMethod<&CoreObject::Take>("take"),
                      InstanceMethod<&CoreObject::Offer>("offer"),
                      InstanceMethod<&CoreObject::Withdraw>("withdraw"),
                      InstanceMethod<&CoreObject::Over>("over"),
                      InstanceMethod<&CoreObject::Give>("give"),
                      InstanceMethod<&CoreObject::LookGiven>("lookGiven")});
}

CoreObject::CoreObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<CoreObject>(info),
      policy_(PolicyFrom(info[2].As<Napi::Object>())),
      core_(std::make_unique<Core>(policy_, UsAt(info, 0), UsAt(info, 1))),
      giver_(policy_),
      kept_(policy_.exchange_kept) {
  OpenFailure failure;
  seals_ = SealTable::Make(&failure);
  if (seals_ == nullptr) throw Failed(info.Env(), failure.call, failure.error);
}

void CoreObject::AddLink(const Napi::CallbackInfo& info) {
  auto counters = std::make_shared<LinkCounters>();
  links_[IntAt(info, 0)] = counters;
  core_->AddLink(IntAt(info, 0), counters);
}

void CoreObject::AddSlot(const Napi::CallbackInfo& info) {
  auto counters = std::make_shared<SlotCounters>(policy_);
  slots_[IntAt(info, 0)] = counters;
  core_->AddSlot(IntAt(info, 0), IntAt(info, 1), static_cast<uint8_t>(IntAt(info, 2)),
                 AddressesFrom(info[3].As<Napi::Array>()), counters);
}

void CoreObject::SetPeers(const Napi::CallbackInfo& info) {
  core_->SetPeers(IntAt(info, 0), AddressesFrom(info[1].As<Napi::Array>()));
}

void CoreObject::SetLiveness(const Napi::CallbackInfo& info) {
  core_->SetLiveness(UsAt(info, 0), UsAt(info, 1));
}

void CoreObject::RemoveSlot(const Napi::CallbackInfo& info) {
  slots_.erase(IntAt(info, 0));
  core_->RemoveSlot(IntAt(info, 0));
  seals_->Set(IntAt(info, 0), nullptr);
}

// setSeal(slot, seal, memory)
void CoreObject::SetSealOf(const Napi::CallbackInfo& info) {
  const SlotId slot = IntAt(info, 0);
  const std::optional<AnySeal> seal = SealFrom(info[1], info[2], policy_);
  senders_[slot] = SendersFor(seal);
  const AnySeal* given = seal.has_value() ? &*seal : nullptr;
  seals_->Set(slot, given);
  seals_->GoOnFrom(slot, SentFrom(info[2]));
  core_->SetSeal(slot, given, senders_[slot], seals_->SequenceOf(slot));
}

// sealMemory(slot)
Napi::Value CoreObject::ReadSealMemory(const Napi::CallbackInfo& info) {
  const auto found = senders_.find(IntAt(info, 0));
  const std::atomic<SealSequence>* sent = seals_->SequenceOf(IntAt(info, 0));
  return SealMemoryTo(info.Env(), found == senders_.end() ? nullptr : found->second.get(),
                      sent == nullptr ? 0 : sent->load());
}

// setWall(wall, now)
void CoreObject::SetWall(const Napi::CallbackInfo& info) {
  core_->SetWall(UsAt(info, 0), UsAt(info, 1));
}

// seal(slot, to, bytes, now): a datagram as it leaves, or null for one that may not.
Napi::Value CoreObject::SealStep(const Napi::CallbackInfo& info) {
  const Turn turn = {info.Env(), UsAt(info, 3), info.Env().Undefined(), {}};
  Sealer sealer(seals_.get());
  Step step;
  step.to = AddressFrom(info[1]);
  step.bytes = BytesFrom(info[2]);
  if (!Leaves(&turn, &sealer, 0, IntAt(info, 0), &step)) return info.Env().Null();
  return BytesTo(info.Env(), step.bytes);
}

Napi::Value CoreObject::ReadSenders(const Napi::CallbackInfo& info) {
  const auto found = senders_.find(IntAt(info, 0));
  return SendersTo(info.Env(), found == senders_.end() ? nullptr : found->second.get());
}

void CoreObject::Order(const Napi::CallbackInfo& info) {
  for (OrderFor& order : OrdersFrom(info[0].As<Napi::Array>()))
    core_->Apply(std::move(order), static_cast<uint64_t>(UsAt(info, 2)), UsAt(info, 1));
}

// packet(link, from, ttl, payload, now, header): `header` before an authenticated PDU, or none.
void CoreObject::Packet(const Napi::CallbackInfo& info) {
  const Bytes payload = BytesFrom(info[3]);
  const Bytes header = info[5].IsTypedArray() ? BytesFrom(info[5]) : Bytes();
  const vipd::Packet packet = {AddressFrom(info[1]), IntAt(info, 2), header, payload};
  if (taker_ != nullptr) return kept_.Keep(IntAt(info, 0), packet, UsAt(info, 4));
  core_->Receive(IntAt(info, 0), packet, UsAt(info, 4));
}

void CoreObject::Renew(const Napi::CallbackInfo& info) { core_->Renew(UsAt(info, 0)); }

void CoreObject::Acknowledge(const Napi::CallbackInfo& info) {
  core_->Acknowledge(static_cast<uint64_t>(UsAt(info, 0)), UsAt(info, 1));
}

// loseMaster(slot, master, now)
void CoreObject::LoseMaster(const Napi::CallbackInfo& info) {
  core_->LoseMaster(info[0].As<Napi::Number>().Int32Value(), AddressFrom(info[1]), UsAt(info, 2));
}

void CoreObject::PreemptedByWarden(const Napi::CallbackInfo& info) {
  core_->PreemptedByWarden(UsAt(info, 0));
}

// tick(now, refuse, later): with `later` the kernel answers when `answer` is called, otherwise at
// once. `refuse(effect)` may answer an errno.
Napi::Value CoreObject::Tick(const Napi::CallbackInfo& info) {
  Turn turn = {info.Env(), UsAt(info, 0), info[1], Napi::Array::New(info.Env())};
  core_->Tick(turn.now);
  TakeBatch(&turn);
  if (!info[2].ToBoolean().Value()) AnswerAll(&turn);
  RunPacer(&turn);
  return OutcomeOf(turn);
}

// answer(now, refuse): the kernel works off what waits for it.
Napi::Value CoreObject::Answer(const Napi::CallbackInfo& info) {
  Turn turn = {info.Env(), UsAt(info, 0), info[1], Napi::Array::New(info.Env())};
  AnswerAll(&turn);
  RunPacer(&turn);
  return OutcomeOf(turn);
}

Napi::Object CoreObject::OutcomeOf(const Turn& turn) {
  Napi::Object out = Napi::Object::New(turn.env);
  out.Set("effects", turn.effects);
  out.Set("events", EventsTo(turn.env, core_->TakeEvents()));
  out.Set("waits", !steps_.empty());
  return out;
}

void CoreObject::TakeBatch(Turn* turn) {
  Carried all;
  all.batch = core_->TakeBatch();
  TakeSteps(turn, &all, PlacesByLink(all.batch));
  auto [now, later] =
      Split(std::move(all), [](const Run& run) { return HasKernelSteps(*run.plan); });
  now.Finish(turn->now);
  core_->Settle(now.batch, now.failures);
  if (!later.batch.empty()) steps_.Add(std::move(later));
  if (core_->has_batch()) TakeBatch(turn);
}

void CoreObject::AnswerAll(Turn* turn) {
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  while (const auto slice = steps_.Next(kAll, kAll)) {
    TakeSteps(turn, steps_.front(), slice->places);
  }
  for (const Carried& carried : steps_.TakeFinished(turn->now))
    core_->Settle(carried.batch, carried.failures);
  if (!core_->has_batch()) return;
  TakeBatch(turn);
  AnswerAll(turn);
}

// As `Datagrams` does it.
bool CoreObject::Leaves(const Turn* turn, Sealer* sealer, uint32_t run, SlotId slot, Step* step) {
  if (step->kind != StepKind::kDatagram || IsNote(*step)) return true;
  Bytes sealed;
  const auto outcome = sealer->Apply(run, slot, *step, core_->WallAt(turn->now), &sealed);
  if (outcome != SealTable::Outcome::kPlain) step->bytes = std::move(sealed);
  return outcome != SealTable::Outcome::kWithheld;
}

void CoreObject::TakeSteps(Turn* turn, Carried* carried, const std::vector<Place>& places) {
  Sealer sealer(seals_.get());
  for (const Place place : places) {
    Run& run = carried->batch[place.run];
    Step step = run.plan->steps[place.step];
    if (!Leaves(turn, &sealer, place.run, run.slot, &step)) {
      carried->Fail(place, "seal", ENOKEY);
      continue;
    }
    carried->Done(place, turn->now);
    if (IsPaced(step)) {
      pacer_.Add(PacedAt(carried->batch, place));
      continue;
    }
    if (step.kind == StepKind::kDatagram && !IsNote(step)) run.sent_at = turn->now;
    const int error = Tell(turn, run.slot, run.generation, place.step, step);
    if (error != 0) carried->Fail(place, "refused", error);
  }
}

// The errno that `refuse` answers; 0 without one.
int CoreObject::Tell(Turn* turn, SlotId slot, int64_t generation, uint32_t at, const Step& step) {
  Napi::Object effect = Napi::Object::New(turn->env);
  effect.Set("slot", slot);
  effect.Set("generation", static_cast<double>(generation));
  effect.Set("index", at);
  effect.Set("step", StepTo(turn->env, step));
  turn->effects.Set(turn->effects.Length(), effect);
  if (!turn->refuse.IsFunction()) return 0;
  return turn->refuse.As<Napi::Function>().Call({effect}).ToNumber().Int32Value();
}

void CoreObject::RunPacer(Turn* turn) {
  pacer_.Run(turn->now, [&](const PacedFrame& frame) {
    Tell(turn, frame.slot, frame.generation, frame.at, frame.step());
    return turn->now;
  });
}

Napi::Value CoreObject::NextDeadline(const Napi::CallbackInfo& info) {
  const Us next = std::min(core_->NextDeadline(), pacer_.NextDeadline());
  if (next == kNever) return info.Env().Null();
  return Napi::Number::New(info.Env(), static_cast<double>(next));
}

Napi::Value CoreObject::ReadSlot(const Napi::CallbackInfo& info) {
  return CountersTo(info.Env(), slots_.at(IntAt(info, 0)).get());
}

Napi::Value CoreObject::ReadGaps(const Napi::CallbackInfo& info) {
  return GapsTo(info.Env(), *slots_.at(IntAt(info, 0)));
}

Napi::Value CoreObject::ReadLink(const Napi::CallbackInfo& info) {
  return CountersTo(info.Env(), *links_.at(IntAt(info, 0)));
}

}  // namespace vipd
