#include "addon/engine_object.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "addon/callback.h"
#include "addon/convert.h"
#include "addon/exchange.h"
#include "base/clock.h"
#include "engine/memberships.h"

namespace vipd {

namespace {

int32_t IntAt(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Int32Value();
}

}  // namespace

Napi::Function EngineObject::Define(Napi::Env env) {
  return DefineClass(env, "Engine",
                     {InstanceMethod<&EngineObject::Start>("start"),
                      InstanceMethod<&EngineObject::StartWarden>("startWarden"),
                      InstanceMethod<&EngineObject::EndWarden>("endWarden"),
                      InstanceMethod<&EngineObject::ReadBeats>("wardenBeats"),
                      InstanceMethod<&EngineObject::OpenLink>("openLink"),
                      InstanceMethod<&EngineObject::SetFilter>("setFilter"),
                      InstanceMethod<&EngineObject::CloseLink>("closeLink"),
                      InstanceMethod<&EngineObject::AddSlotTo>("addSlot"),
                      InstanceMethod<&EngineObject::SetPeersOf>("setPeers"),
                      InstanceMethod<&EngineObject::SetLivenessTo>("setLiveness"),
                      InstanceMethod<&EngineObject::RemoveSlotFrom>("removeSlot"),
                      InstanceMethod<&EngineObject::SetSealOf>("setSeal"),
                      InstanceMethod<&EngineObject::ReadSealMemory>("sealMemory"),
                      InstanceMethod<&EngineObject::ReadSenders>("senders"),
                      InstanceMethod<&EngineObject::GiveOrder>("order"),
                      InstanceMethod<&EngineObject::AskFlush>("flush"),
                      InstanceMethod<&EngineObject::AskKernel>("request"),
                      InstanceMethod<&EngineObject::Listen>("listen"),
                      InstanceMethod<&EngineObject::Renew>("renew"),
                      InstanceMethod<&EngineObject::Acknowledge>("acknowledge"),
                      InstanceMethod<&EngineObject::ReadSlot>("counters"),
                      InstanceMethod<&EngineObject::ReadGaps>("gaps"),
                      InstanceMethod<&EngineObject::ReadLink>("linkCounters"),
                      InstanceMethod<&EngineObject::ReadWakeups>("wakeups"),
                      InstanceMethod<&EngineObject::RejoinLinks>("rejoin"),
                      InstanceMethod<&EngineObject::OfferExchangeOf>("offer"),
                      InstanceMethod<&EngineObject::WithdrawExchangeOf>("withdraw"),
                      InstanceMethod<&EngineObject::BeReady>("ready"),
                      InstanceMethod<&EngineObject::StopEngine>("stop")});
}

EngineObject::EngineObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<EngineObject>(info), env_(info.Env()) {
  engine_ = std::make_unique<Engine>(OptionsFrom(info[0].As<Napi::Object>()),
                                     [this] { notifier_.NonBlockingCall(); });
  if (const auto failure = engine_->Open()) throw Failed(env_, failure->call, failure->error);
  notifier_ = Notifier::New(env_, info[1].As<Napi::Function>(), "vipd engine", 0, 1, this);
  // Hooks run last in, first out: the thread ends before what it notifies through is torn down.
  napi_add_env_cleanup_hook(env_, AtExit, this);
  ended_ = false;
  Ref();
}

EngineObject::~EngineObject() { End(false); }

void EngineObject::AtExit(void* self) { static_cast<EngineObject*>(self)->End(false); }

void EngineObject::End(bool orderly) {
  if (std::exchange(ended_, true)) return;
  engine_->Stop(orderly);
  notifier_.Abort();
  links_.clear();
  slots_.clear();
}

void EngineObject::StopEngine(const Napi::CallbackInfo&) {
  if (ended_) return;
  End(true);
  napi_remove_env_cleanup_hook(env_, AtExit, this);
  Unref();
}

void EngineObject::CallJs(Napi::Env env, Napi::Function callback, EngineObject* self, void*) {
  if (env == nullptr || self->ended_) return;
  const std::unique_ptr<Delivery> delivery = self->engine_->Take();
  if (delivery == nullptr) return;
  CallbackIntoJs(env, [&] {
    Napi::Array flushed = Napi::Array::New(env, delivery->flushed.size());
    for (uint32_t i = 0; i < delivery->flushed.size(); ++i)
      flushed.Set(i, Napi::Number::New(env, delivery->flushed[i]));
    callback.Call({EventsTo(env, delivery->events), flushed});
  });
}

Napi::Value EngineObject::Start(const Napi::CallbackInfo& info) {
  return StartTo(info.Env(), engine_->Start());
}

void EngineObject::StartWarden(const Napi::CallbackInfo& info) {
  const std::string lock_path = info[0].As<Napi::String>().Utf8Value();
  const std::string log_form = info[1].As<Napi::String>().Utf8Value();
  const auto failure = reserve_.With([&] { return engine_->StartGuard(lock_path, log_form); });
  if (failure.has_value()) throw Failed(env_, failure->call, failure->error);
}

Napi::Value EngineObject::EndWarden(const Napi::CallbackInfo&) {
  return Napi::Boolean::New(env_, engine_->EndGuard());
}

Napi::Value EngineObject::ReadBeats(const Napi::CallbackInfo&) {
  return Napi::Number::New(env_, engine_->GuardBeats());
}

Napi::Value EngineObject::OpenLink(const Napi::CallbackInfo& info) {
  LinkSpec spec = LinkSpecFrom(info[0].As<Napi::Object>());
  spec.traffic_class = engine_->policy().traffic_class;
  auto [receiver, sender] =
      reserve_.With([&] { return std::pair(OpenReceiver(spec), OpenSender(spec)); });
  if (!receiver.ok()) throw Failed(env_, receiver.failed_call, receiver.error);
  if (!sender.ok()) throw Failed(env_, sender.failed_call, sender.error);
  auto link = std::make_shared<Link>();
  link->id = next_link_++;
  link->family = spec.source.length == 16 ? 6 : 4;
  link->ah = spec.ah;
  link->ifindex = spec.ifindex;
  link->packets_waiting_max = WaitingMax(receiver.fd.get());
  link->receiver = std::move(receiver.fd);
  link->sender = std::move(sender.fd);
  link->gate = std::make_unique<FilterGate>(link->receiver.get(), spec.open_filter, spec.filter,
                                            engine_->policy());
  auto counters = std::make_shared<LinkCounters>();
  links_[link->id] = {link, counters, spec.group};
  engine_->Post(AddLink{link, counters});
  return Napi::Number::New(env_, link->id);
}

EngineObject::OpenedLink& EngineObject::LinkAt(const Napi::Value& id) {
  const auto found = links_.find(id.As<Napi::Number>().Int32Value());
  if (found == links_.end()) throw Napi::Error::New(env_, "no such link");
  return found->second;
}

void EngineObject::SetFilter(const Napi::CallbackInfo& info) {
  const char* call = LinkAt(info[0]).link->gate->SetTight(BytesFrom(info[1]));
  if (call != nullptr) throw Failed(env_, call, errno);
}

void EngineObject::CloseLink(const Napi::CallbackInfo& info) {
  const LinkId id = LinkAt(info[0]).link->id;
  links_.erase(id);
  engine_->Post(RemoveLink{id});
}

void EngineObject::AddSlotTo(const Napi::CallbackInfo& info) {
  const LinkId link = LinkAt(info[1]).link->id;
  auto counters = std::make_shared<SlotCounters>(engine_->policy());
  slots_[IntAt(info, 0)] = counters;
  engine_->Post(AddSlot{IntAt(info, 0), link, static_cast<uint8_t>(IntAt(info, 2)),
                        AddressesFrom(info[3].As<Napi::Array>()), counters,
                        info[4].As<Napi::String>().Utf8Value()});
}

void EngineObject::SetPeersOf(const Napi::CallbackInfo& info) {
  engine_->Post(SetPeers{IntAt(info, 0), AddressesFrom(info[1].As<Napi::Array>())});
}

void EngineObject::SetLivenessTo(const Napi::CallbackInfo& info) {
  engine_->Post(SetLiveness{info[0].As<Napi::Number>().Int64Value()});
}

void EngineObject::RemoveSlotFrom(const Napi::CallbackInfo& info) {
  slots_.erase(IntAt(info, 0));
  engine_->Post(RemoveSlot{IntAt(info, 0)});
}

void EngineObject::SetSealOf(const Napi::CallbackInfo& info) {
  const SlotId slot = IntAt(info, 0);
  std::optional<AnySeal> seal = SealFrom(info[1], info[2], engine_->policy());
  if (seal.has_value()) KeepMemoryOutOfCores();
  const std::shared_ptr<SealSenders> senders = SendersFor(seal);
  if (senders == nullptr)
    senders_.erase(slot);
  else
    senders_[slot] = senders;
  // As many as the table of seals has; slots are numbered upwards, so the first is the oldest.
  if (senders_.size() > SealTable::kEntries) senders_.erase(senders_.begin());
  engine_->Post(SetSeal{slot, std::move(seal), senders, SentFrom(info[2])});
}

Napi::Value EngineObject::ReadSealMemory(const Napi::CallbackInfo& info) {
  const auto found = senders_.find(IntAt(info, 0));
  return SealMemoryTo(env_, found == senders_.end() ? nullptr : found->second.get(),
                      engine_->SequenceOf(IntAt(info, 0)));
}

Napi::Value EngineObject::ReadSenders(const Napi::CallbackInfo& info) {
  const auto found = senders_.find(IntAt(info, 0));
  return SendersTo(env_, found == senders_.end() ? nullptr : found->second.get());
}

void EngineObject::GiveOrder(const Napi::CallbackInfo& info) {
  const auto acknowledged = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value());
  std::vector<OrderFor> orders = OrdersFrom(info[0].As<Napi::Array>());
  for (size_t at = 0; at < orders.size(); at += Engine::kOrdersPerTurn) {
    const auto from = std::make_move_iterator(orders.begin() + static_cast<std::ptrdiff_t>(at));
    const size_t count = std::min(Engine::kOrdersPerTurn, orders.size() - at);
    engine_->Post(GiveOrders{{from, from + static_cast<std::ptrdiff_t>(count)}, acknowledged});
  }
}

void EngineObject::AskFlush(const Napi::CallbackInfo& info) {
  engine_->Post(Flush{static_cast<uint32_t>(IntAt(info, 0))});
}

void EngineObject::AskKernel(const Napi::CallbackInfo& info) {
  engine_->Ask(static_cast<uint32_t>(IntAt(info, 0)), RequestFrom(info[1]));
}

void EngineObject::Listen(const Napi::CallbackInfo& info) {
  const auto groups = [&](size_t at) {
    const auto numbers = info[at].As<Napi::Array>();
    std::vector<int> out;
    for (uint32_t i = 0; i < numbers.Length(); ++i)
      out.push_back(numbers.Get(i).As<Napi::Number>().Int32Value());
    return out;
  };
  const char* call = engine_->Listen(BytesFrom(info[0]), groups(1), groups(2));
  if (call != nullptr) throw Failed(env_, call, errno);
}

void EngineObject::Renew(const Napi::CallbackInfo&) { engine_->Post(Renewal{MonotonicNow()}); }

void EngineObject::Acknowledge(const Napi::CallbackInfo& info) {
  engine_->Post(Acknowledgement{static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value())});
}

Napi::Value EngineObject::ReadSlot(const Napi::CallbackInfo& info) {
  const auto found = slots_.find(IntAt(info, 0));
  if (found == slots_.end()) throw Napi::Error::New(env_, "no such slot");
  return CountersTo(env_, found->second.get());
}

Napi::Value EngineObject::ReadGaps(const Napi::CallbackInfo& info) {
  const auto found = slots_.find(IntAt(info, 0));
  if (found == slots_.end()) throw Napi::Error::New(env_, "no such slot");
  return GapsTo(env_, *found->second);
}

Napi::Value EngineObject::RejoinLinks(const Napi::CallbackInfo& info) {
  const auto ids = info[0].As<Napi::Array>();
  std::vector<Member> members;
  for (uint32_t i = 0; i < ids.Length(); ++i) {
    const OpenedLink& opened = LinkAt(ids.Get(i));
    if (opened.group.has_value()) members.push_back({opened.link, *opened.group});
  }
  return Rejoin(env_, std::move(members));
}

Napi::Value EngineObject::ReadWakeups(const Napi::CallbackInfo&) {
  return WakeupsTo(env_, engine_->wakeups());
}

void EngineObject::OfferExchangeOf(const Napi::CallbackInfo& info) {
  engine_->Post(OfferExchange{ExchangeFrom(info[0]), info[1].As<Napi::Number>().Uint32Value(),
                              static_cast<uint64_t>(info[2].As<Napi::Number>().Int64Value())});
}

void EngineObject::WithdrawExchangeOf(const Napi::CallbackInfo& info) {
  engine_->Post(WithdrawExchange{info[0].As<Napi::Boolean>().Value()});
}

// ready(attempt, pairs)
void EngineObject::BeReady(const Napi::CallbackInfo& info) {
  engine_->Post(ReadyForExchange{info[0].As<Napi::Number>().Uint32Value(),
                                 SlotPairsFrom(info[1].As<Napi::Array>())});
}

Napi::Value EngineObject::ReadLink(const Napi::CallbackInfo& info) {
  return CountersTo(env_, *LinkAt(info[0]).counters);
}

}  // namespace vipd
