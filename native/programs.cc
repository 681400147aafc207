#include "programs.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "convert.h"
#include "watched_socket.h"

namespace vipd {
namespace {

constexpr int kEndsPerWake = 64;
constexpr std::size_t kStackBytes = 64 * 1'024;

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

struct Start {
  const char* file = nullptr;
  char* const* argv = nullptr;
  char* const* env = nullptr;
  int output = -1;
  const Identity* identity = nullptr;
  // Written by the child, read when it has executed or given up.
  int error = 0;
};

// The C library would change the identity of every thread of the process that shares the memory, so
// the kernel is asked itself, for this one alone.
bool Become(const Identity& identity) {
  return syscall(SYS_setgroups, identity.groups.size(), identity.groups.data()) == 0 &&
         syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid) == 0 &&
         syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid) == 0;
}

bool Redirect(int output) {
  const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0) return false;
  const int out = output < 0 ? nowhere : output;
  return dup2(nowhere, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
         dup2(out, STDERR_FILENO) >= 0;
}

// Runs in the child, in the memory of the parent, which waits: nothing here may change what is the
// parent's. Handlers are the child's own copy, and must be gone before a signal can come.
int RunChild(void* data) {
  auto* start = static_cast<Start*>(data);
  struct sigaction usual = {};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++) sigaction(number, &usual, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // A group of its own, to be killed as a whole.
  if (setsid() >= 0 && chdir("/") == 0 && Redirect(start->output) &&
      (start->identity == nullptr || Become(*start->identity)))
    execve(start->file, start->argv, start->env);
  start->error = errno;
  _exit(127);
}

// The pid, or the negative errno; `pidfd` becomes readable when the program has ended.
pid_t Spawn(Start* start, int* pidfd) {
  static thread_local std::vector<char> stack(kStackBytes);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const pid_t pid = clone(RunChild, stack.data() + stack.size(),
                          CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, start, pidfd);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return -error;
  if (start->error == 0) return pid;
  siginfo_t ended = {};
  waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(*pidfd), &ended, WEXITED);
  close(*pidfd);
  return -start->error;
}

// A program whose end nobody would hear of must not run on.
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
  const auto groups = object.Get("groups").As<Napi::Array>();
  for (uint32_t i = 0; i < groups.Length(); i++)
    identity.groups.push_back(groups.Get(i).As<Napi::Number>().Uint32Value());
  return identity;
}

// startProgram(fd, file, argv, env, output, identity | null): [pid, descriptor], or the negative
// errno.
Napi::Value StartProgram(const Napi::CallbackInfo& info) {
  std::string file = info[1].As<Napi::String>().Utf8Value();
  std::vector<std::string> argv = TextsFrom(info[2]);
  std::vector<std::string> variables = TextsFrom(info[3]);
  const std::vector<char*> argv_pointers = PointersTo(&argv);
  const std::vector<char*> env_pointers = PointersTo(&variables);
  Identity identity;
  Start start;
  start.file = file.c_str();
  start.argv = argv_pointers.data();
  start.env = env_pointers.data();
  start.output = info[4].As<Napi::Number>().Int32Value();
  if (info[5].IsObject()) {
    identity = IdentityFrom(info[5].As<Napi::Object>());
    start.identity = &identity;
  }
  int pidfd = -1;
  const pid_t pid = Spawn(&start, &pidfd);
  if (pid < 0) return Napi::Number::New(info.Env(), pid);
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.fd = pidfd;
  if (epoll_ctl(info[0].As<Napi::Number>().Int32Value(), EPOLL_CTL_ADD, pidfd, &event) < 0) {
    const int error = errno;
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
                                           info[0].As<Napi::Function>(), DrainEnds);
              }));
  exports.Set("startProgram", Napi::Function::New(env, StartProgram));
}

}  // namespace vipd
