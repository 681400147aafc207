// Hears whole frames that others send on an interface, as far as a filter of the socket lets them
// through. A thread of its own that is there only while there is something to hear: neither the
// engine nor JavaScript waits for it, and what a flood may cost is bounded: it rests after each
// turn, reads so many frames in one, and tells of so many with one key. Parses nothing: what an ARP
// frame (RFC 826, RFC 5227) or a message of neighbour discovery (RFC 4861) says is TypeScript's.
// Spans are in µs, instants µs on CLOCK_MONOTONIC.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/sockets.h"
#include "engine/throttle.h"

namespace vipd {

using FrameWatchId = int32_t;

struct FrameWatchPolicy {
  // Frames with one key that are told.
  Allowance key;
  // Keys of one socket that have an allowance of their own; the rest share one.
  size_t keys = 0;
  // Frames of one socket that are read in a turn.
  int turn = 0;
  // Between two turns: usually, and when a socket had more than was read in one.
  Us rest = 0;
  Us rest_flooded = 0;
};

struct FrameWatchCounters {
  // Read; what the filter or a full buffer drops is not.
  std::atomic<uint64_t> heard{0};
  std::atomic<uint64_t> told{0};
};

// What makes frames of one sort: the octets at the first of these places that are not all zero.
struct FrameKey {
  std::vector<size_t> places;
  size_t octets = 0;
};

struct HeardFrame {
  FrameWatchId watch;
  Us at;
  // With its key since the one that was told before, itself included.
  uint64_t count;
  Bytes bytes;  // its head
};

struct FrameSource {
  int ifindex = 0;
  // ETH_P_…, of what is received.
  int protocol = 0;
  // What leaves the host, of every type: the filter has to choose.
  bool sent = false;
};

// A packet socket for frames that arrive, or for those that leave. `filter`: a classic BPF program
// (struct sock_filter[]); empty lets nothing through. On failure the call (socket, setsockopt or
// bind) and its errno: EPERM without CAP_NET_RAW, ENODEV for an interface that is gone.
Opened OpenFrameReceiver(const FrameSource& from, const Bytes& filter);

class FrameWatch {
 public:
  // `notify` is called on the thread, when frames wait.
  FrameWatch(FrameWatchPolicy policy, std::function<void()> notify);
  ~FrameWatch() { Stop(); }

  // The rest is for the main thread. Before Start; the call that failed (epoll_create1, eventfd,
  // epoll_ctl) and its errno.
  std::optional<OpenFailure> Open();
  void Start();
  void Add(FrameWatchId id, std::shared_ptr<UniqueFd> fd, FrameKey key,
           std::shared_ptr<FrameWatchCounters> counters);
  // Its descriptor stays open until the thread has let go of it.
  void Remove(FrameWatchId id);
  // What has been heard since the last call, in the order in which it was read.
  std::vector<HeardFrame> Take();
  // Ends the thread, and returns when it has ended.
  void Stop();

 private:
  struct Sort {
    Bucket bucket;
    uint64_t untold = 0;
  };
  struct Socket {
    std::shared_ptr<UniqueFd> fd;
    FrameKey key;
    std::shared_ptr<FrameWatchCounters> counters;
    std::unordered_map<std::string, Sort> sorts;
  };
  struct AddSocket {
    FrameWatchId id;
    Socket socket;
  };
  struct RemoveSocket {
    FrameWatchId id;
  };
  using Command = std::variant<AddSocket, RemoveSocket>;

  void Run();
  void Post(Command command);
  void Wake();
  void TakeCommands();
  // True: there may be more.
  bool Drain(FrameWatchId id, Socket* socket);
  void Hear(FrameWatchId id, Socket* socket, const Bytes& frame);
  void Rest(Us span);
  void Deliver();

  const FrameWatchPolicy policy_;
  const std::function<void()> notify_;
  UniqueFd epoll_;
  UniqueFd wake_;
  std::mutex mutex_;
  std::vector<Command> commands_;
  std::vector<HeardFrame> frames_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;

  // The thread's only.
  std::map<FrameWatchId, Socket> sockets_;
  std::vector<HeardFrame> told_;
};

}  // namespace vipd
