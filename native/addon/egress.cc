#include "addon/egress.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "addon/convert.h"
#include "base/sockets.h"

namespace vipd {

namespace {

// An IPv4 header with options, or an IPv6 header, and the first octets of the advert.
constexpr size_t kHead = 64;
// In one reading; what is left comes with the next.
constexpr uint32_t kPacketsMax = 4096;

const Bytes& DropEverything() {
  static const Bytes program = {0x06, 0, 0, 0, 0, 0, 0, 0};
  return program;
}

Napi::Value OpenOutgoing(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  // Without a protocol it receives nothing until it is bound.
  UniqueFd fd(socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) throw Failed(env, "socket", errno);
  const auto filter = info[1].As<Napi::Uint8Array>();
  const Bytes program(filter.Data(), filter.Data() + filter.ByteLength());
  const char* call = AttachFilter(fd.get(), program.empty() ? DropEverything() : program);
  if (call != nullptr) throw Failed(env, call, errno);
  sockaddr_ll local{};
  local.sll_family = AF_PACKET;
  // Only a socket for all protocols is shown what goes out.
  local.sll_protocol = htons(ETH_P_ALL);
  local.sll_ifindex = info[0].As<Napi::Number>().Int32Value();
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) < 0)
    throw Failed(env, "bind", errno);
  return Napi::Number::New(env, fd.Release());
}

Napi::Value ReadOutgoing(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  Napi::Array out = Napi::Array::New(info.Env());
  std::array<uint8_t, kHead> buffer;
  for (uint32_t at = 0; at < kPacketsMax;) {
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    out.Set(at++, Napi::Buffer<uint8_t>::Copy(info.Env(), buffer.data(), static_cast<size_t>(n)));
  }
  return out;
}

void CloseOutgoing(const Napi::CallbackInfo& info) { close(info[0].As<Napi::Number>()); }

}  // namespace

void DefineEgress(Napi::Env env, Napi::Object exports) {
  exports.Set("openOutgoing", Napi::Function::New(env, OpenOutgoing, "openOutgoing"));
  exports.Set("readOutgoing", Napi::Function::New(env, ReadOutgoing, "readOutgoing"));
  exports.Set("closeOutgoing", Napi::Function::New(env, CloseOutgoing, "closeOutgoing"));
}

}  // namespace vipd
