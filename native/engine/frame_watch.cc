#include "engine/frame_watch.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/epoll.h"
#include "base/signals.h"

namespace vipd {

namespace {

// What epoll names beside the sockets.
constexpr uint64_t kWakeTag = 1ull << 32;
// Ethernet, IPv6 and a neighbour advertisement with a link-layer address are 86 octets; other
// options stand before that one at times.
constexpr size_t kHeadMax = 192;
// Room for a turn's frames and no more: what a flood brings beyond is dropped before it is queued.
constexpr int kReceiveBuffer = 64 * 1024;
// linux/if_packet.h; Linux 4.20 and later.
constexpr int kIgnoreOutgoing = 23;

const Bytes& DropEverything() {
  static const Bytes program = {0x06, 0, 0, 0, 0, 0, 0, 0};
  return program;
}

}  // namespace

Opened OpenFrameReceiver(const FrameSource& from, const Bytes& filter) {
  // Without a protocol it receives nothing until it is bound.
  UniqueFd fd(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return {{}, "socket", errno};
  const int buffer = kReceiveBuffer;
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  const int ignored = from.sent ? 0 : 1;
  setsockopt(fd.get(), SOL_PACKET, kIgnoreOutgoing, &ignored, sizeof ignored);
  const char* call = AttachFilter(fd.get(), filter.empty() ? DropEverything() : filter);
  if (call != nullptr) return {{}, call, errno};
  sockaddr_ll local{};
  local.sll_family = AF_PACKET;
  // Only a socket for all protocols is shown what goes out.
  local.sll_protocol = htons(static_cast<uint16_t>(from.sent ? ETH_P_ALL : from.protocol));
  local.sll_ifindex = from.ifindex;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) < 0)
    return {{}, "bind", errno};
  return {std::move(fd)};
}

FrameWatch::FrameWatch(FrameWatchPolicy policy, std::function<void()> notify)
    : policy_(policy), notify_(std::move(notify)) {}

std::optional<OpenFailure> FrameWatch::Open() {
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (epoll_.get() < 0) return OpenFailure{"epoll_create1", errno};
  wake_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake_.get() < 0) return OpenFailure{"eventfd", errno};
  if (!WatchReadable(epoll_.get(), wake_.get(), kWakeTag)) return OpenFailure{"epoll_ctl", errno};
  return std::nullopt;
}

void FrameWatch::Start() {
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { Run(); });
}

void FrameWatch::Add(FrameWatchId id, std::shared_ptr<UniqueFd> fd, FrameKey key,
                     std::shared_ptr<FrameWatchCounters> counters) {
  Post(AddSocket{id, {std::move(fd), std::move(key), std::move(counters), {}}});
}

void FrameWatch::Remove(FrameWatchId id) { Post(RemoveSocket{id}); }

void FrameWatch::Post(Command command) {
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
  }
  Wake();
}

void FrameWatch::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
}

std::vector<HeardFrame> FrameWatch::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(frames_, {});
}

void FrameWatch::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  Wake();
  thread_.join();
}

void FrameWatch::Run() {
  pthread_setname_np(pthread_self(), "vipd-frames");
  std::array<epoll_event, 16> ready;
  while (!stopping_) {
    const int n = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), -1);
    bool more = false;
    bool read_any = false;
    for (int i = 0; i < n; ++i) {
      const uint64_t tag = ready[i].data.u64;
      if (tag == kWakeTag) {
        uint64_t count;
        [[maybe_unused]] const ssize_t bytes = read(wake_.get(), &count, sizeof count);
        TakeCommands();
      } else if (const auto found = sockets_.find(static_cast<FrameWatchId>(tag));
                 found != sockets_.end()) {
        read_any = true;
        more |= Drain(found->first, &found->second);
      }
    }
    Deliver();
    if (read_any) Rest(more ? policy_.rest_flooded : policy_.rest);
  }
}

void FrameWatch::TakeCommands() {
  std::vector<Command> taken;
  {
    const std::lock_guard lock(mutex_);
    taken = std::exchange(commands_, {});
  }
  for (Command& command : taken) {
    if (auto* add = std::get_if<AddSocket>(&command)) {
      Socket& socket = sockets_[add->id] = std::move(add->socket);
      WatchReadable(epoll_.get(), socket.fd->get(), static_cast<uint64_t>(add->id));
    } else {
      sockets_.erase(std::get<RemoveSocket>(command).id);
    }
  }
}

bool FrameWatch::Drain(FrameWatchId id, Socket* socket) {
  Bytes frame(kHeadMax);
  for (int left = policy_.turn; left > 0; --left) {
    frame.resize(kHeadMax);
    const ssize_t n = recv(socket->fd->get(), frame.data(), frame.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    // ENETDOWN: its interface is switched off, or gone; the kernel says so once.
    if (n < 0) return false;
    frame.resize(static_cast<size_t>(n));
    Hear(id, socket, frame);
  }
  return true;
}

void FrameWatch::Hear(FrameWatchId id, Socket* socket, const Bytes& frame) {
  ++socket->counters->heard;
  std::string key;
  const auto octets = static_cast<ptrdiff_t>(socket->key.octets);
  for (const size_t place : socket->key.places) {
    if (place + socket->key.octets > frame.size()) continue;
    const auto begin = frame.begin() + static_cast<ptrdiff_t>(place);
    if (std::all_of(begin, begin + octets, [](uint8_t octet) { return octet == 0; })) continue;
    key.assign(begin, begin + octets);
    break;
  }
  auto found = socket->sorts.find(key);
  if (found == socket->sorts.end()) {
    if (socket->sorts.size() >= policy_.keys) key.clear();
    found = socket->sorts.try_emplace(key, Sort{Bucket::Full(policy_.key)}).first;
  }
  Sort& sort = found->second;
  ++sort.untold;
  const Us now = MonotonicNow();
  if (!sort.bucket.Take(now, policy_.key)) return;
  ++socket->counters->told;
  told_.push_back({id, now, std::exchange(sort.untold, 0), frame});
}

// Orders to stop, and new sockets, are not kept waiting by it.
void FrameWatch::Rest(Us span) {
  pollfd woken = {wake_.get(), POLLIN, 0};
  timespec left = {span / 1'000'000, span % 1'000'000 * 1'000};
  ppoll(&woken, 1, &left, nullptr);
}

void FrameWatch::Deliver() {
  if (told_.empty()) return;
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = frames_.empty();
    std::move(told_.begin(), told_.end(), std::back_inserter(frames_));
  }
  told_.clear();
  if (first) notify_();
}

}  // namespace vipd
