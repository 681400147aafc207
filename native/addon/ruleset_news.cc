#include "addon/ruleset_news.h"

#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "addon/convert.h"
#include "addon/watched_socket.h"
#include "base/inquiry.h"
#include "base/sockets.h"

namespace vipd {

namespace {

// Enough to empty a queue that has overrun; the rest is read at the next wake-up.
constexpr int kNewsPerWake = 256;
// A change is a change however often it is told: the kernel may drop what does not fit.
constexpr int kNewsBuffer = 16 * 1024;

// A commit is told object by object, and at its end by one message with the new generation. That
// one is let through: a host that writes thousands of elements a second wakes us once for each
// commit. A classic filter reads big-endian; the kernel wrote its own order.
int AttachFilter(int fd) {
  const unsigned type = htons((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN);
  std::array<sock_filter, 4> code = {
      sock_filter BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(nlmsghdr, nlmsg_type)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, type, 1, 0),
      sock_filter BPF_STMT(BPF_RET | BPF_K, 0),
      sock_filter BPF_STMT(BPF_RET | BPF_K, 0xffff),
  };
  const sock_fprog program = {static_cast<unsigned short>(code.size()), code.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

UniqueFd NewsSocket(Napi::Env env) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (fd.get() < 0) throw Failed(env, "socket", errno);
  if (AttachFilter(fd.get()) < 0) throw Failed(env, "setsockopt(SO_ATTACH_FILTER)", errno);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kNewsBuffer, sizeof kNewsBuffer);
  // The kernel tells a socket without an address nothing.
  const sockaddr_nl local = {AF_NETLINK, 0, 0, 0};
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) < 0)
    throw Failed(env, "bind", errno);
  const int group = NFNLGRP_NFTABLES;
  if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
    throw Failed(env, "setsockopt(NETLINK_ADD_MEMBERSHIP)", errno);
  return fd;
}

bool DrainNews(napi_env env, int fd, napi_value* news) {
  bool any = false;
  std::array<char, 256> buffer;
  for (int i = 0; i < kNewsPerWake; i++) {
    if (recv(fd, buffer.data(), buffer.size(), 0) < 0 && errno != ENOBUFS) break;
    any = true;
  }
  return any && napi_get_undefined(env, news) == napi_ok;
}

Napi::Value NetfilterRequest(const Napi::CallbackInfo& info) {
  const Answer answer = Request(RequestFrom(info[0]), NETLINK_NETFILTER);
  if (answer.call != nullptr) throw Failed(info.Env(), answer.call, answer.error, answer.detail);
  Napi::Uint8Array out = Napi::Uint8Array::New(info.Env(), answer.bytes.size());
  std::copy(answer.bytes.begin(), answer.bytes.end(), out.Data());
  return out;
}

}  // namespace

void DefineRuleset(Napi::Env env, Napi::Object exports) {
  exports.Set("openRulesetNews", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return WatchedSocket::Open(info.Env(), NewsSocket(info.Env()),
                                           info[0].As<Napi::Function>(), DrainNews);
              }));
  exports.Set("netfilterRequest", Napi::Function::New(env, NetfilterRequest));
}

}  // namespace vipd
