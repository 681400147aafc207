#include "addon/check_sockets.h"

#include <arpa/inet.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/netlink.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "addon/convert.h"
#include "addon/watched_socket.h"

namespace vipd {
namespace {

// Read in one callback, so that a flood leaves the event loop its turns; the rest comes with the
// next.
constexpr int kMessagesPerWake = 64;
constexpr int kNewsPerWake = 256;

// --- echo ---

UniqueFd EchoSocket(Napi::Env env, int family) {
  const bool six = family == 6;
  UniqueFd fd(socket(six ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                     six ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP}));
  if (fd.get() < 0) throw Failed(env, "socket", errno);
  int done = 0;
  if (six) {
    icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &filter);
    done = setsockopt(fd.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
  } else {
    const auto pass = [](unsigned type) { return 1U << type; };
    icmp_filter filter = {};
    filter.data = ~(pass(ICMP_ECHOREPLY) | pass(ICMP_DEST_UNREACH) | pass(ICMP_TIME_EXCEEDED));
    done = setsockopt(fd.get(), SOL_RAW, ICMP_FILTER, &filter, sizeof filter);
  }
  if (done < 0) throw Failed(env, "setsockopt", errno);
  return fd;
}

// All messages as they came: with their IP header for IPv4, without for IPv6.
bool DrainEcho(napi_env env, int fd, napi_value* news) {
  std::array<char, 2048> buffer;
  if (napi_create_array(env, news) != napi_ok) return false;
  uint32_t count = 0;
  while (count < kMessagesPerWake) {
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
    if (n < 0) break;
    napi_value message = nullptr;
    if (napi_create_buffer_copy(env, static_cast<std::size_t>(n), buffer.data(), nullptr,
                                &message) != napi_ok ||
        napi_set_element(env, *news, count, message) != napi_ok)
      return false;
    count += 1;
  }
  return count > 0;
}

// 4 octets or 16, and a port.
class SocketAddress {
 public:
  SocketAddress(const Napi::Uint8Array& octets, unsigned port)
      : six_(octets.ByteLength() == sizeof in6_addr{}.s6_addr) {
    if (six_) {
      auto* six = reinterpret_cast<sockaddr_in6*>(&storage_);
      six->sin6_family = AF_INET6;
      six->sin6_port = htons(static_cast<std::uint16_t>(port));
      std::memcpy(&six->sin6_addr, octets.Data(), sizeof six->sin6_addr);
    } else {
      auto* four = reinterpret_cast<sockaddr_in*>(&storage_);
      four->sin_family = AF_INET;
      four->sin_port = htons(static_cast<std::uint16_t>(port));
      std::memcpy(&four->sin_addr, octets.Data(), sizeof four->sin_addr);
    }
  }

  int family() const { return six_ ? AF_INET6 : AF_INET; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return six_ ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }

 private:
  bool six_;
  sockaddr_storage storage_ = {};
};

// sendEcho(fd, address: Uint8Array, bytes: Uint8Array): 0 or the errno.
Napi::Value SendEcho(const Napi::CallbackInfo& info) {
  const auto bytes = info[2].As<Napi::Uint8Array>();
  const SocketAddress to(info[1].As<Napi::Uint8Array>(), 0);
  const ssize_t sent = sendto(info[0].As<Napi::Number>().Int32Value(), bytes.Data(),
                              bytes.ByteLength(), 0, to.get(), to.size());
  return Napi::Number::New(info.Env(), sent < 0 ? errno : 0);
}

// --- connections ---

// Pairs: the socket of an attempt that is decided, and its errno, 0 for connected.
bool DrainDial(napi_env env, int fd, napi_value* news) {
  std::array<epoll_event, kMessagesPerWake> events;
  const int count = epoll_wait(fd, events.data(), events.size(), 0);
  if (count <= 0) return false;
  std::vector<std::int32_t> decided;
  for (int i = 0; i < count; i++) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(events[i].data.fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) error = errno;
    decided.insert(decided.end(), {events[i].data.fd, error});
  }
  return NumbersTo(env, decided, news);
}

// dial(fd, address: Uint8Array, port): the socket of the attempt, to be given to hangUp when it is
// decided or given up; negative: the errno of an attempt that failed at once.
Napi::Value Dial(const Napi::CallbackInfo& info) {
  const auto fail = [&] { return Napi::Number::New(info.Env(), -errno); };
  const SocketAddress to(info[1].As<Napi::Uint8Array>(), info[2].As<Napi::Number>().Uint32Value());
  UniqueFd fd(socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return fail();
  // Connected at once is told as any other: the socket is writable then.
  if (connect(fd.get(), to.get(), to.size()) < 0 && errno != EINPROGRESS) return fail();
  epoll_event event = {};
  event.events = EPOLLOUT | EPOLLONESHOT;
  event.data.fd = fd.get();
  if (epoll_ctl(info[0].As<Napi::Number>().Int32Value(), EPOLL_CTL_ADD, fd.get(), &event) < 0)
    return fail();
  return Napi::Number::New(info.Env(), fd.Release());
}

Napi::Value HangUp(const Napi::CallbackInfo& info) {
  close(info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

// --- processes ---

constexpr unsigned kEventAt = NLMSG_HDRLEN + sizeof(cn_msg);

// Most of what the kernel tells is of no use here. A classic filter reads big-endian words; the
// kernel wrote its own order.
int AttachFilter(int fd) {
  const auto wanted = [](unsigned what, unsigned char to_accept) {
    return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(what), to_accept, 0);
  };
  std::array<sock_filter, 7> code = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kEventAt),
      wanted(proc_event::PROC_EVENT_FORK, 4),
      wanted(proc_event::PROC_EVENT_EXEC, 3),
      wanted(proc_event::PROC_EVENT_COMM, 2),
      wanted(proc_event::PROC_EVENT_EXIT, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, 0),
      sock_filter BPF_STMT(BPF_RET | BPF_K, 0xffff),
  };
  const sock_fprog program = {static_cast<unsigned short>(code.size()), code.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int Subscribe(int fd) {
  constexpr proc_cn_mcast_op kOp = PROC_CN_MCAST_LISTEN;
  std::array<char, kEventAt + sizeof kOp> request = {};
  nlmsghdr head = {};
  head.nlmsg_len = request.size();
  head.nlmsg_type = NLMSG_DONE;
  cn_msg message = {};
  message.id = {CN_IDX_PROC, CN_VAL_PROC};
  message.len = sizeof kOp;
  std::memcpy(request.data(), &head, sizeof head);
  std::memcpy(request.data() + NLMSG_HDRLEN, &message, sizeof message);
  std::memcpy(request.data() + kEventAt, &kOp, sizeof kOp);
  return send(fd, request.data(), request.size(), 0) < 0 ? -1 : 0;
}

UniqueFd ProcessNewsSocket(Napi::Env env) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_CONNECTOR));
  if (fd.get() < 0) throw Failed(env, "socket", errno);
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (AttachFilter(fd.get()) < 0) throw Failed(env, "setsockopt", errno);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    throw Failed(env, "bind", errno);
  if (Subscribe(fd.get()) < 0) throw Failed(env, "send", errno);
  return fd;
}

// The process that begins, ends or has another name now; 0 for threads, which count for nothing.
pid_t Concerned(const proc_event& event, bool* exits) {
  const auto whole = [](pid_t thread, pid_t process) { return thread == process ? process : 0; };
  *exits = event.what == proc_event::PROC_EVENT_EXIT;
  const auto& data = event.event_data;
  if (event.what == proc_event::PROC_EVENT_FORK)
    return whole(data.fork.child_pid, data.fork.child_tgid);
  if (*exits) return whole(data.exit.process_pid, data.exit.process_tgid);
  return data.exec.process_tgid;
}

// The processes concerned, negative those that ended; null when news were lost.
bool DrainProcessNews(napi_env env, int fd, napi_value* news) {
  std::vector<std::int32_t> processes;
  std::array<char, 1024> buffer;
  bool lost = false;
  for (int i = 0; i < kNewsPerWake; i++) {
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == ENOBUFS) {
      lost = true;
      continue;
    }
    if (n < 0) break;
    proc_event event = {};
    if (static_cast<std::size_t>(n) < kEventAt + offsetof(proc_event, event_data) + 16) continue;
    std::memcpy(&event, buffer.data() + kEventAt,
                std::min(sizeof event, static_cast<std::size_t>(n) - kEventAt));
    bool exits = false;
    const pid_t pid = Concerned(event, &exits);
    if (pid != 0) processes.push_back(exits ? -pid : pid);
  }
  if (lost) return napi_get_null(env, news) == napi_ok;
  return !processes.empty() && NumbersTo(env, processes, news);
}

}  // namespace

void DefineSenses(Napi::Env env, Napi::Object exports) {
  exports.Set("openEcho", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return WatchedSocket::Open(
                    info.Env(), EchoSocket(info.Env(), info[0].As<Napi::Number>().Int32Value()),
                    info[1].As<Napi::Function>(), DrainEcho);
              }));
  exports.Set("sendEcho", Napi::Function::New(env, SendEcho));
  exports.Set("openDial", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return WatchedSocket::Open(info.Env(), EpollSet(info.Env()),
                                           info[0].As<Napi::Function>(), DrainDial);
              }));
  exports.Set("dial", Napi::Function::New(env, Dial));
  exports.Set("hangUp", Napi::Function::New(env, HangUp));
  exports.Set("openProcessNews", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return WatchedSocket::Open(info.Env(), ProcessNewsSocket(info.Env()),
                                           info[0].As<Napi::Function>(), DrainProcessNews);
              }));
}

}  // namespace vipd
