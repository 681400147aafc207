#include "addon/bfd_object.h"

#include <cerrno>
#include <utility>

#include "addon/callback.h"
#include "addon/convert.h"
#include "addon/convert_bfd.h"
#include "addon/engine_object.h"

namespace vipd {

namespace {

// Above a port number.
constexpr int kFamilyShift = 16;

int KeyOf(int family, uint16_t port) { return family << kFamilyShift | port; }

SessionId SessionAt(const Napi::CallbackInfo& info) {
  return info[0].As<Napi::Number>().Int32Value();
}

BfdSocketSpec SocketsFrom(const Napi::Object& spec) {
  BfdSocketSpec out;
  const Napi::Value local = spec.Get("local");
  if (!local.IsNull()) out.local = AddressFrom(local);
  out.peer = AddressFrom(spec.Get("peer"));
  out.interface = TextIn(spec, "interface");
  out.ifindex = IntIn(spec, "ifindex");
  out.port = static_cast<uint16_t>(IntIn(spec, "port"));
  out.ttl = IntIn(spec, "ttl");
  out.traffic_class = IntIn(spec, "trafficClass");
  return out;
}

}  // namespace

Napi::Function BfdObject::Define(Napi::Env env) {
  return DefineClass(env, "Bfd",
                     {InstanceMethod<&BfdObject::OpenSession>("open"),
                      InstanceMethod<&BfdObject::CloseSession>("close"),
                      InstanceMethod<&BfdObject::GiveOrder>("order"),
                      InstanceMethod<&BfdObject::ReadSession>("counters"),
                      InstanceMethod<&BfdObject::ReadUnclaimed>("unclaimed"),
                      InstanceMethod<&BfdObject::OfferSessions>("offer"),
                      InstanceMethod<&BfdObject::WithdrawSessions>("withdraw"),
                      InstanceMethod<&BfdObject::InheritSessions>("inherit"),
                      InstanceMethod<&BfdObject::EndInheritance>("endInheritance"),
                      InstanceMethod<&BfdObject::StopAll>("stop")});
}

BfdObject::BfdObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<BfdObject>(info), env_(info.Env()) {
  const auto options = info[0].As<Napi::Object>();
  options_.realtime_priority = IntIn(options, "realtimePriority");
  options_.rttime = UsIn(options, "rttimeUs");
  options_.rttime_grace = UsIn(options, "rttimeGraceUs");
  options_.seed = static_cast<uint64_t>(NumberIn(options, "seed"));
  options_.given_within = UsIn(options, "givenWithinUs");
  random_.seed(options_.seed);
  if (!info[1].IsNull()) {
    engine_ = Napi::Persistent(info[1].As<Napi::Object>());
    post_to_ = &EngineObject::Unwrap(info[1].As<Napi::Object>())->engine();
  }
  notifier_ = Notifier::New(env_, info[2].As<Napi::Function>(), "vipd bfd", 0, 1, this);
  // As for the engine, which was opened before: this hook runs before its.
  napi_add_env_cleanup_hook(env_, AtExit, this);
  ended_ = false;
  Ref();
}

BfdObject::~BfdObject() { End(); }

void BfdObject::AtExit(void* self) { static_cast<BfdObject*>(self)->End(); }

void BfdObject::End() {
  if (std::exchange(ended_, true)) return;
  if (thread_ != nullptr) thread_->Stop();
  thread_ = nullptr;
  // Their counters can still be read.
  for (auto& [id, session] : sessions_) session.sender = nullptr;
  receivers_.clear();
  inherited_.clear();
  from_ = {};
  notifier_.Abort();
}

void BfdObject::StopAll(const Napi::CallbackInfo&) {
  if (ended_) return;
  End();
  engine_.Reset();
  napi_remove_env_cleanup_hook(env_, AtExit, this);
  Unref();
}

void BfdObject::CallJs(Napi::Env env, Napi::Function callback, BfdObject* self, void*) {
  if (env == nullptr || self->ended_ || self->thread_ == nullptr) return;
  const std::vector<BfdEvent> events = self->thread_->Take();
  if (events.empty()) return;
  CallbackIntoJs(env, [&] { callback.Call({BfdEventsTo(env, events)}); });
}

void BfdObject::StartThread() {
  if (thread_ != nullptr) return;
  auto thread = std::make_unique<BfdThread>(
      options_, [this] { notifier_.NonBlockingCall(); },
      [engine = post_to_](const BfdEvent& lost) {
        if (engine != nullptr) engine->Post(LoseMaster{lost.takeover, lost.peer});
      },
      from_);
  const auto failure = reserve_.With([&] { return thread->Open(); });
  if (failure.has_value()) throw Failed(env_, failure->call, failure->error);
  thread->Start();
  thread_ = std::move(thread);
}

std::shared_ptr<UniqueFd> BfdObject::ReceiverFor(int family, uint16_t port) {
  const auto found = receivers_.find(KeyOf(family, port));
  if (found != receivers_.end()) return found->second.fd;
  const auto inherited = inherited_.find(kBfdReceiver | KeyOf(family, port));
  if (inherited != inherited_.end())
    return std::make_shared<UniqueFd>(std::move(inherited_.extract(inherited).mapped()));
  auto opened = reserve_.With([&] { return OpenBfdReceiver(family, port); });
  if (!opened.ok()) throw Failed(env_, opened.failed_call, opened.error);
  return std::make_shared<UniqueFd>(std::move(opened.fd));
}

std::shared_ptr<UniqueFd> BfdObject::SenderFor(const BfdSocketSpec& spec, SessionId before) {
  const auto inherited = inherited_.find(kBfdSender | static_cast<uint32_t>(before));
  if (before >= 0 && inherited != inherited_.end())
    return std::make_shared<UniqueFd>(std::move(inherited_.extract(inherited).mapped()));
  auto opened = reserve_.With([&] { return OpenBfdSender(spec, &random_); });
  if (!opened.ok()) throw Failed(env_, opened.failed_call, opened.error);
  return std::make_shared<UniqueFd>(std::move(opened.fd));
}

void BfdObject::OpenSession(const Napi::CallbackInfo& info) {
  const auto spec = info[0].As<Napi::Object>();
  const BfdSocketSpec sockets = SocketsFrom(spec);
  const SessionId id = IntIn(spec, "session");
  const int family = sockets.peer.length == 16 ? 6 : 4;
  const bool multihop = spec.Get("multihop").ToBoolean();
  if (ended_ || sessions_.contains(id)) throw Napi::Error::New(env_, "no such session to open");
  const auto receiver = ReceiverFor(family, sockets.port);
  const SessionId before = spec.Get("inherits").IsNull() ? -1 : IntIn(spec, "inherits");
  const auto sender = SenderFor(sockets, before);
  StartThread();
  const int key = KeyOf(family, sockets.port);
  Receiver& shared = receivers_[key];
  if (shared.sessions++ == 0) {
    shared.fd = receiver;
    thread_->Post(AddBfdReceiver{key, family, multihop, receiver});
  }
  auto counters = std::make_shared<BfdCounters>();
  sessions_[id] = {key, counters, sender};
  const BfdPath path = {sockets.peer, sockets.local, multihop ? 0 : sockets.ifindex,
                        IntIn(spec, "minTtl")};
  thread_->Post(AddBfdSession{id, static_cast<uint32_t>(NumberIn(spec, "discriminator")), path,
                              counters, sender, before});
}

void BfdObject::CloseSession(const Napi::CallbackInfo& info) {
  const auto found = sessions_.find(SessionAt(info));
  if (ended_ || found == sessions_.end()) return;
  const int key = found->second.receiver;
  thread_->Post(RemoveBfdSession{found->first, BytesOrNone(info[1])});
  sessions_.erase(found);
  if (--receivers_[key].sessions == 0) Leave(key);
  if (!sessions_.empty()) return;
  thread_->Stop();
  thread_ = nullptr;
}

// Its port is free when this returns: another session, or another program, may want it.
void BfdObject::Leave(int key) {
  receivers_.erase(key);
  const auto closed = std::make_shared<std::promise<void>>();
  thread_->Post(RemoveBfdReceiver{key, closed});
  closed->get_future().wait();
}

void BfdObject::GiveOrder(const Napi::CallbackInfo& info) {
  if (ended_ || !sessions_.contains(SessionAt(info))) return;
  thread_->Post(GiveBfdOrder{SessionAt(info), BfdOrderFrom(info[1].As<Napi::Object>())});
}

Napi::Value BfdObject::ReadSession(const Napi::CallbackInfo& info) {
  const auto found = sessions_.find(SessionAt(info));
  if (found == sessions_.end()) throw Napi::Error::New(env_, "no such session");
  return BfdCountersTo(info.Env(), *found->second.counters);
}

Napi::Value BfdObject::ReadUnclaimed(const Napi::CallbackInfo& info) {
  const uint64_t count = thread_ == nullptr ? 0 : thread_->unclaimed();
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

}  // namespace vipd
