// The exchange of two cores in virtual time: the turns that the engines' threads take
// (engine/engine_exchange.cc), one by one, so that anything can happen between two of them.
#include "addon/core_object.h"
#include "addon/exchange.h"

namespace vipd {

namespace {

uint32_t NumberAt(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Uint32Value();
}

Us UsAt(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Int64Value();
}

}  // namespace

// --- the second ---

// hold(exchange): the slots are another core's until `take`; packets are kept.
void CoreObject::Hold(const Napi::CallbackInfo& info) {
  taker_ = std::make_unique<ExchangeTaker>(ExchangeFrom(info[0]));
  core_->Hold();
}

// ready(attempt, pairs): slots of the other core and of this one, in turns.
void CoreObject::Ready(const Napi::CallbackInfo& info) {
  taker_->Ready(NumberAt(info, 0), SlotPairsFrom(info[1].As<Napi::Array>()));
}

void CoreObject::SayReady(const Napi::CallbackInfo&) {
  if (taker_->to_be_said()) taker_->SayReady();
}

// takeUp(): what was given stands here.
Napi::Value CoreObject::TakeUp(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), taker_->given() && taker_->TakeUp(core_.get(), *seals_));
}

// take(): the slots are this core's, and what came meanwhile has been received.
Napi::Value CoreObject::Take(const Napi::CallbackInfo& info) {
  if (!taker_->Take()) return Napi::Boolean::New(info.Env(), false);
  core_->Release();
  kept_.Replay(taker_->handled(), [this](LinkId link, const vipd::Packet& packet, Us at) {
    core_->ReceiveAgain(link, packet, at);
  });
  taker_.reset();
  return Napi::Boolean::New(info.Env(), true);
}

// --- the first ---

// offer(exchange, attempt, acknowledged, now)
void CoreObject::Offer(const Napi::CallbackInfo& info) {
  giver_.Offer(ExchangeFrom(info[0]), NumberAt(info, 1), static_cast<uint64_t>(UsAt(info, 2)),
               UsAt(info, 3));
}

// withdraw(forGood)
void CoreObject::Withdraw(const Napi::CallbackInfo& info) {
  giver_.Withdraw(info[0].ToBoolean().Value());
}

// over(): why there will be no exchange, once; or null.
Napi::Value CoreObject::Over(const Napi::CallbackInfo& info) {
  const char* why = giver_.Over();
  return why == nullptr ? info.Env().Null() : Napi::String::New(info.Env(), why);
}

// give(handled, now): when what is given is taken back; null: it is not given.
Napi::Value CoreObject::Give(const Napi::CallbackInfo& info) {
  const Us now = UsAt(info, 1);
  const bool quiet = steps_.empty() && pacer_.NextDeadline() == kNever && !core_->has_batch();
  if (!giver_.wanted() || !quiet || !giver_.Quiet(core_.get(), now) ||
      !giver_.Give(core_.get(), *seals_, UsAt(info, 0), now))
    return info.Env().Null();
  return Napi::Number::New(info.Env(), static_cast<double>(giver_.until()));
}

// lookGiven(now): what has become of it.
Napi::Value CoreObject::LookGiven(const Napi::CallbackInfo& info) {
  switch (giver_.Look(UsAt(info, 0))) {
    case ExchangeGiver::Outcome::kGiven:
      return Napi::String::New(info.Env(), "given");
    case ExchangeGiver::Outcome::kTaken:
      return Napi::String::New(info.Env(), "taken");
    case ExchangeGiver::Outcome::kBack:
      return Napi::String::New(info.Env(), "back");
  }
  return info.Env().Null();
}

}  // namespace vipd
