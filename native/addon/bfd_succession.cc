// The BFD sessions of a daemon that another process takes over: their sockets are sent to it, and
// the threads of both agree on the rest (engine/bfd_exchange.h).
#include <cerrno>
#include <string>
#include <utility>

#include "addon/bfd_object.h"
#include "addon/convert.h"
#include "addon/exchange.h"

namespace vipd {

// Where no session is open there is no thread, and nothing that it could give.
bool BfdObject::ThreadAgrees(const BfdSuccession& to) {
  if (thread_ == nullptr) return to.sessions->Give({}, {}, 0, 0);
  const auto agreed = std::make_shared<std::promise<bool>>();
  thread_->Post(OfferBfd{to, agreed});
  return agreed->get_future().get();
}

// offer(exchange, socket, round): how many descriptors were sent; null: something that was raised
// is not judged yet.
Napi::Value BfdObject::OfferSessions(const Napi::CallbackInfo& info) {
  const auto socket = info[1].As<Napi::Number>().Int32Value();
  OpenFailure failure;
  auto made = reserve_.With([&] { return BfdExchange::Make(&failure); });
  if (made == nullptr) throw Failed(env_, failure.call, failure.error);
  if (!ThreadAgrees({ExchangeFrom(info[0]), made})) return info.Env().Null();
  std::vector<TaggedFd> given = {{kBfdMemory, made->memory()},
                                 {kBfdToSecond, made->to_second()},
                                 {kBfdToFirst, made->to_first()}};
  for (const auto& [key, receiver] : receivers_)
    given.push_back({kBfdReceiver | static_cast<uint32_t>(key), receiver.fd->get()});
  for (const auto& [id, session] : sessions_)
    given.push_back({kBfdSender | static_cast<uint32_t>(id), session.sender->get()});
  const int error = SendDescriptors(socket, info[2].As<Napi::Number>().Uint32Value(), given);
  if (error != 0) throw Failed(env_, "sendmsg", error);
  return Napi::Number::New(env_, static_cast<double>(given.size()));
}

void BfdObject::WithdrawSessions(const Napi::CallbackInfo&) {
  if (thread_ != nullptr) thread_->Post(WithdrawBfd{});
}

// inherit(exchange, socket, round, count): what the process before sent in that round, in place of
// what it sent before. There is no session here then.
void BfdObject::InheritSessions(const Napi::CallbackInfo& info) {
  inherited_.clear();
  auto received = ReceiveDescriptors(info[1].As<Napi::Number>().Int32Value(),
                                     info[2].As<Napi::Number>().Uint32Value());
  if (received.size() != info[3].As<Napi::Number>().Uint32Value())
    throw Failed(env_, "recvmsg", EBADMSG);
  for (ReceivedFd& one : received) inherited_[one.tag] = std::move(one.fd);
  const auto take = [&](uint64_t tag) {
    const auto found = inherited_.find(tag);
    return found == inherited_.end() ? UniqueFd() : std::move(inherited_.extract(found).mapped());
  };
  OpenFailure failure;
  UniqueFd memory = take(kBfdMemory);
  UniqueFd to_second = take(kBfdToSecond);
  auto opened =
      BfdExchange::Open(std::move(memory), std::move(to_second), take(kBfdToFirst), &failure);
  if (opened == nullptr) throw Failed(env_, failure.call, failure.error);
  from_ = {ExchangeFrom(info[0]), opened};
  // Both threads look, as soon as the slots are this process's.
  if (post_to_ == nullptr) return;
  post_to_->Post(WhenTaken{[opened] {
    WakeThrough(opened->to_first());
    WakeThrough(opened->to_second());
  }});
}

// The slots are taken: sessions that are opened from now on are this process's at once.
void BfdObject::EndInheritance(const Napi::CallbackInfo&) {
  from_ = {};
  inherited_.clear();
}

}  // namespace vipd
