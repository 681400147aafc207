#include "addon/programs.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "addon/convert.h"
#include "addon/watched_socket.h"
#include "host/children.h"
#include "host/spawn.h"

namespace vipd {
namespace {

// One epoll_wait's worth: more ends are told in the next one.
constexpr int kEndsPerWake = 64;

// A program whose end cannot be heard must not run on.
void Abandon(pid_t pid, int pidfd) {
  kill(-pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  if (pidfd >= 0) close(pidfd);
}

// Three numbers for each end: the descriptor it was known by, closed now; whether a signal ended
// it; and the status or the signal.
bool DrainEnds(napi_env env, int fd, napi_value* news) {
  std::array<epoll_event, kEndsPerWake> events;
  const int count = epoll_wait(fd, events.data(), events.size(), 0);
  if (count <= 0) return false;
  std::vector<std::int32_t> ends;
  for (int i = 0; i < count; i++) {
    const int pidfd = events[i].data.fd;
    if (!TakeChild(pidfd, fd)) continue;
    siginfo_t ended = {};
    waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &ended, WEXITED | WNOHANG);
    close(pidfd);
    ends.insert(ends.end(), {pidfd, ended.si_code == CLD_EXITED ? 0 : 1, ended.si_status});
  }
  return NumbersTo(env, ends, news);
}

std::vector<std::string> TextsFrom(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> texts;
  texts.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++)
    texts.push_back(array.Get(i).As<Napi::String>().Utf8Value());
  return texts;
}

std::vector<char*> PointersTo(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts->size() + 1);
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Identity IdentityFrom(const Napi::Object& object) {
  Identity identity;
  identity.uid = object.Get("uid").As<Napi::Number>().Uint32Value();
  identity.gid = object.Get("gid").As<Napi::Number>().Uint32Value();
  const Napi::Value groups = object.Get("groups");
  if (!groups.IsArray()) return identity;
  const auto given = groups.As<Napi::Array>();
  identity.groups.emplace();
  for (uint32_t i = 0; i < given.Length(); i++)
    identity.groups->push_back(given.Get(i).As<Napi::Number>().Uint32Value());
  return identity;
}

// startProgram(fd, file, argv, env, output, identity | null, noNewPrivs): [pid, descriptor], or the
// negative errno.
Napi::Value StartProgram(const Napi::CallbackInfo& info) {
  std::string file = info[1].As<Napi::String>().Utf8Value();
  std::vector<std::string> argv = TextsFrom(info[2]);
  std::vector<std::string> variables = TextsFrom(info[3]);
  const std::vector<char*> argv_pointers = PointersTo(&argv);
  const std::vector<char*> env_pointers = PointersTo(&variables);
  Identity identity;
  Program program;
  program.file = file.c_str();
  program.argv = argv_pointers.data();
  program.env = env_pointers.data();
  program.output = info[4].As<Napi::Number>().Int32Value();
  if (info[5].IsObject()) {
    identity = IdentityFrom(info[5].As<Napi::Object>());
    program.identity = &identity;
  }
  program.no_new_privileges = info[6].As<Napi::Boolean>().Value();
  const auto [pid, pidfd] = Spawn(program);
  if (pid < 0) return Napi::Number::New(info.Env(), pid);
  const int set = info[0].As<Napi::Number>().Int32Value();
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.fd = pidfd;
  AddChild(pid, pidfd, set);
  if (epoll_ctl(set, EPOLL_CTL_ADD, pidfd, &event) < 0) {
    const int error = errno;
    TakeChild(pidfd, set);
    Abandon(pid, pidfd);
    return Napi::Number::New(info.Env(), -error);
  }
  Napi::Array started = Napi::Array::New(info.Env(), 2);
  started.Set(0U, Napi::Number::New(info.Env(), pid));
  started.Set(1U, Napi::Number::New(info.Env(), pidfd));
  return started;
}

}  // namespace

void DefinePrograms(Napi::Env env, Napi::Object exports) {
  exports.Set("openPrograms", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return WatchedSocket::Open(info.Env(), EpollSet(info.Env()),
                                           info[0].As<Napi::Function>(), DrainEnds,
                                           AdoptChildrenOf);
              }));
  exports.Set("adoptProgram", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                AdoptChild(info[0].As<Napi::Number>().Int32Value());
              }));
  exports.Set("startProgram", Napi::Function::New(env, StartProgram));
}

}  // namespace vipd
