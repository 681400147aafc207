#include "addon/exchange.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "addon/convert.h"
#include "host/lock.h"
#include "host/successor.h"

namespace vipd {

namespace {

using Kept = std::shared_ptr<Exchange>;

Napi::Value Wrap(Napi::Env env, Kept exchange, const OpenFailure& failure) {
  if (exchange == nullptr) throw Failed(env, failure.call, failure.error);
  return Napi::External<Kept>::New(env, new Kept(std::move(exchange)),
                                   [](Napi::Env, Kept* kept) { delete kept; });
}

Napi::Value MakeExchange(const Napi::CallbackInfo& info) {
  OpenFailure failure;
  auto made = Exchange::Make(&failure);
  return Wrap(info.Env(), std::move(made), failure);
}

int IntAt(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Int32Value();
}

Napi::Value OpenExchange(const Napi::CallbackInfo& info) {
  OpenFailure failure;
  const int memory = IntAt(info, 0);
  const int to_second = IntAt(info, 1);
  const int to_first = IntAt(info, 2);
  auto opened = Exchange::Open(memory, to_second, to_first, &failure);
  for (const int fd : {memory, to_second, to_first}) close(fd);
  return Wrap(info.Env(), std::move(opened), failure);
}

// [memory, to the second, to the first]
Napi::Value ExchangeDescriptors(const Napi::CallbackInfo& info) {
  const Kept exchange = ExchangeFrom(info[0]);
  Napi::Array out = Napi::Array::New(info.Env(), 3);
  out.Set(0U, Napi::Number::New(info.Env(), exchange->memory()));
  out.Set(1U, Napi::Number::New(info.Env(), exchange->to_second()));
  out.Set(2U, Napi::Number::New(info.Env(), exchange->to_first()));
  return out;
}

// exchangeState(exchange): whose the slots are.
Napi::Value ReadState(const Napi::CallbackInfo& info) {
  static constexpr std::array<const char*, 5> kNames = {"preparing", "ready", "given", "taken",
                                                        "void"};
  return Napi::String::New(info.Env(), kNames.at(ExchangeFrom(info[0])->page()->state()));
}

// mayAct(exchange, second): as a warden asks whose daemon is gone, which decides the word.
Napi::Value AskToAct(const Napi::CallbackInfo& info) {
  const auto role = info[1].ToBoolean().Value() ? ExchangeRole::kSecond : ExchangeRole::kFirst;
  return Napi::Boolean::New(info.Env(), ExchangeFrom(info[0])->page()->MayAct(role));
}

// socketPair(), packetPair(): two connected sockets (AF_UNIX).
template <int Type>
Napi::Value SocketPair(const Napi::CallbackInfo& info) {
  int ends[2];
  if (socketpair(AF_UNIX, Type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
    throw Failed(info.Env(), "socketpair", errno);
  Napi::Array out = Napi::Array::New(info.Env(), 2);
  out.Set(0U, Napi::Number::New(info.Env(), ends[0]));
  out.Set(1U, Napi::Number::New(info.Env(), ends[1]));
  return out;
}

// keepFromPrograms(fd): it is closed in what this process starts.
void KeepFromPrograms(const Napi::CallbackInfo& info) {
  fcntl(IntAt(info, 0), F_SETFD, FD_CLOEXEC);
}

Napi::Value CloseDescriptor(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), close(IntAt(info, 0)) == 0 ? 0 : errno);
}

std::vector<std::string> TextsAt(const Napi::CallbackInfo& info, size_t at) {
  const auto array = info[at].As<Napi::Array>();
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < array.Length(); ++i)
    texts.push_back(array.Get(i).As<Napi::String>().Utf8Value());
  return texts;
}

std::vector<char*> PointersTo(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// startSuccessor(file, argv, env, descriptors): the process, or the negative errno.
Napi::Value Start(const Napi::CallbackInfo& info) {
  std::string file = info[0].As<Napi::String>().Utf8Value();
  std::vector<std::string> argv = TextsAt(info, 1);
  std::vector<std::string> variables = TextsAt(info, 2);
  const std::vector<char*> argv_pointers = PointersTo(&argv);
  const std::vector<char*> env_pointers = PointersTo(&variables);
  Successor successor;
  successor.file = file.c_str();
  successor.argv = argv_pointers.data();
  successor.env = env_pointers.data();
  const auto given = info[3].As<Napi::Array>();
  for (uint32_t i = 0; i < given.Length(); ++i)
    successor.descriptors.push_back(given.Get(i).As<Napi::Number>().Int32Value());
  return Napi::Number::New(info.Env(), StartSuccessor(successor));
}

void End(const Napi::CallbackInfo& info) { EndSuccessor(IntAt(info, 0)); }

// signalSuccessor(pid, signal): whether it lived to get it.
Napi::Value Signal(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), SignalSuccessor(IntAt(info, 0), IntAt(info, 1)));
}

// heldLock(path), heldName(name): a descriptor, or -1.
template <int (*Find)(const std::string&)>
Napi::Value FindHeld(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Find(info[0].As<Napi::String>().Utf8Value()));
}

// inheritLock(path, fd), inheritName(name, fd): whether it is that.
template <bool (*Inherit)(const std::string&, int)>
Napi::Value InheritAs(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(),
                            Inherit(info[0].As<Napi::String>().Utf8Value(), IntAt(info, 1)));
}

}  // namespace

std::shared_ptr<Exchange> ExchangeFrom(const Napi::Value& value) {
  return value.IsExternal() ? *value.As<Napi::External<Kept>>().Data() : nullptr;
}

std::unordered_map<SlotId, SlotId> SlotPairsFrom(const Napi::Array& pairs) {
  std::unordered_map<SlotId, SlotId> slots;
  const auto slot = [&](uint32_t at) {
    const Napi::Value value = pairs.Get(at);
    return value.As<Napi::Number>().Int32Value();
  };
  for (uint32_t i = 0; i + 1 < pairs.Length(); i += 2) slots[slot(i)] = slot(i + 1);
  return slots;
}

void DefineExchange(Napi::Env env, Napi::Object exports) {
  exports.Set("makeExchange", Napi::Function::New(env, MakeExchange));
  exports.Set("openExchange", Napi::Function::New(env, OpenExchange));
  exports.Set("exchangeDescriptors", Napi::Function::New(env, ExchangeDescriptors));
  exports.Set("exchangeState", Napi::Function::New(env, ReadState));
  exports.Set("mayAct", Napi::Function::New(env, AskToAct));
  exports.Set("socketPair", Napi::Function::New(env, SocketPair<SOCK_STREAM>));
  exports.Set("packetPair", Napi::Function::New(env, SocketPair<SOCK_SEQPACKET>));
  exports.Set("keepFromPrograms", Napi::Function::New(env, KeepFromPrograms));
  exports.Set("closeDescriptor", Napi::Function::New(env, CloseDescriptor));
  exports.Set("startSuccessor", Napi::Function::New(env, Start));
  exports.Set("endSuccessor", Napi::Function::New(env, End));
  exports.Set("signalSuccessor", Napi::Function::New(env, Signal));
  exports.Set("heldLock", Napi::Function::New(env, FindHeld<HeldLock>));
  exports.Set("heldName", Napi::Function::New(env, FindHeld<HeldName>));
  exports.Set("inheritLock", Napi::Function::New(env, InheritAs<InheritLock>));
  exports.Set("inheritName", Napi::Function::New(env, InheritAs<InheritName>));
}

}  // namespace vipd
