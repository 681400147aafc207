#include "engine/memberships.h"

#include <cerrno>

#include "base/sockets.h"

namespace vipd {

namespace {

class Rejoining : public Napi::AsyncWorker {
 public:
  Rejoining(Napi::Env env, std::vector<Member> members)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        members_(std::move(members)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 private:
  // All leave before one joins: the kernel counts members by interface and group, so a socket that
  // left after another had joined would take that one's membership away.
  void Execute() override {
    for (const Member& member : members_)
      LeaveGroup(member.link->receiver.get(), member.link->ifindex, member.group);
    for (const Member& member : members_) {
      const char* call = JoinGroup(member.link->receiver.get(), member.link->ifindex, member.group);
      if (call != nullptr) failed_.push_back({member.link->id, call, errno});
    }
  }

  void OnOK() override {
    const Napi::HandleScope scope(Env());
    Napi::Array failed = Napi::Array::New(Env(), failed_.size());
    for (uint32_t i = 0; i < failed_.size(); ++i) {
      Napi::Object one = Napi::Object::New(Env());
      one.Set("link", Napi::Number::New(Env(), failed_[i].link));
      one.Set("call", Napi::String::New(Env(), failed_[i].call));
      one.Set("errno", Napi::Number::New(Env(), failed_[i].error));
      failed.Set(i, one);
    }
    deferred_.Resolve(failed);
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  struct Failure {
    LinkId link;
    const char* call;
    int error;
  };

  Napi::Promise::Deferred deferred_;
  std::vector<Member> members_;
  std::vector<Failure> failed_;
};

}  // namespace

Napi::Value Rejoin(Napi::Env env, std::vector<Member> members) {
  auto* worker = new Rejoining(env, std::move(members));
  const Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

}  // namespace vipd
