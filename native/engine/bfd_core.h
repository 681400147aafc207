// BFD sessions (RFC 5880) as the engine knows them: finished packets to repeat and to answer with,
// a packet to expect, and an instant. No system call, no policy and no state machine: TypeScript
// has that, and orders anew whenever a packet was not the expected one.
//
// Steady state raises nothing: the expected packet, whatever its P and F, only puts the detection
// time off, and one with P is answered at once.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/plan.h"
#include "engine/deadlines.h"

namespace vipd {

using SessionId = int32_t;

struct BfdRepeat {
  Bytes bytes;
  Us every = 0;  // never 0
  // Each time shortened by a share of it between these, in thousandths (section 6.8.7).
  int shorter_least = 0;
  int shorter_most = 0;
};

struct BfdOrder {
  std::optional<BfdRepeat> repeat;
  Bytes answer;      // to a packet with P; empty: none
  Bytes expect;      // empty: every packet is raised
  Us detection = 0;  // after the last packet; 0: none is awaited
  BfdRepeat on_expiry;
  // Slots that follow the peer as their master: they take over when the detection time is over.
  std::vector<int32_t> takeover;
  Us heard_at =
      -1;  // arrival of the packet that this order answers, which was not the expected one
  bool polling = false;  // a packet with F is raised, though it is the expected one
  // How many expiries the author of the order knew of: one that crossed with an expiry is not
  // taken up, the event makes TypeScript order anew.
  uint64_t expiries = 0;
};

struct BfdEvent {
  enum class Kind : uint8_t { kPacket, kExpired };

  Kind kind = Kind::kPacket;
  SessionId session = 0;
  Bytes packet;
  Us at = 0;
  Us deadline = 0;                // expired
  Address peer;                   // expired
  std::vector<int32_t> takeover;  // expired
  uint64_t expiries = 0;          // so far
};

// Events that wait, at most so many: beyond that the newest packet of a session takes the place of
// its last one. What an expiry says is never dropped.
constexpr size_t kBfdEventsMax = 1'024;
void AddEvent(std::vector<BfdEvent>* events, BfdEvent event);

// Written by the thread and read by the main thread; each figure stands for itself.
struct BfdCounters {
  std::atomic<uint64_t> received{0};
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> bad_ttl{0};
  std::atomic<int> send_error{0};  // of the last packet; 0: it left
  std::atomic<Us> last_received{-1};
  // The longest pause between two packets while a detection time ran, since it was read last.
  std::atomic<Us> longest{0};
};

// What the core alone knows of a session, told to the core of another process.
struct BfdTold {
  SessionId session;
  int send_error;
  uint32_t listened;
  uint32_t away;
  Us send_at;
  Us detect_at;
  Us said_at;
  Us last_received;
  Us longest;
  uint64_t expiries;
  uint64_t received;
  uint64_t sent;
  uint64_t bad_ttl;
};

// A packet to be sent for a session, now.
struct BfdSend {
  SessionId session;
  std::shared_ptr<const Bytes> bytes;
};

// Between which addresses a session is.
struct BfdPath {
  Address peer;
  Address local;    // length 0: any of ours
  int ifindex = 0;  // of the link that packets come by; 0: any
  int min_ttl = 0;  // packets with less are counted and dropped (RFC 5881 section 5)
};

// A packet as it came.
struct BfdArrival {
  Address from;
  Address to;
  int ifindex = 0;  // 0: over several hops, so the link says nothing
  int ttl = 0;
  std::span<const uint8_t> packet;
  Us at = 0;  // the kernel's stamp
};

class BfdCore {
 public:
  explicit BfdCore(uint64_t seed) : random_(seed) {}

  // The discriminator is ours: the caller keeps it unique.
  void Add(SessionId id, uint32_t discriminator, const BfdPath& path,
           std::shared_ptr<BfdCounters> counters);
  void Remove(SessionId id);
  void Apply(SessionId id, BfdOrder order, Us now);
  // A packet that names no discriminator of ours finds its session by its addresses and its link.
  // False: it is no session's.
  bool Receive(const BfdArrival& arrival);
  // Detection times and repeats that are over at `now`. A session whose detection time is over by
  // more than as much again was not looked at meanwhile: it listens for one more. One that was away
  // for a turn of its own takes nothing over before it has heard the peer again: the peer may have
  // lost it, and then speaks once a second, so that a detection time of silence proves nothing. Nor
  // does one whose peer has said something else meanwhile, which TypeScript is still to judge.
  void Tick(Us now);

  // bfd_core_exchange.cc: goes on where the core of another process ended, or from now on if that
  // has told nothing. The orders are those that TypeScript has made of what it was passed.
  std::vector<BfdTold> Tell() const;
  void GoOnFrom(Us now);
  // After `GoOnFrom`. `unjudged`: raised by that core, and not judged there. `here`: sessions by
  // what they were there; the others are dropped.
  void TakeUp(std::span<const BfdTold> told, std::vector<BfdEvent> unjudged,
              const std::unordered_map<SessionId, SessionId>& here);
  // The shortest interval at which a session is to send; kNever: none does.
  Us ShortestInterval() const;

  Us NextDeadline() { return deadlines_.Next(); }
  std::vector<BfdSend> TakeSends() { return std::exchange(sends_, {}); }
  std::vector<BfdEvent> TakeEvents() { return std::exchange(events_, {}); }
  bool has_events() const { return !events_.empty(); }

 private:
  struct Session : Timed {
    uint32_t discriminator = 0;
    BfdPath path;
    std::shared_ptr<BfdCounters> counters;
    BfdOrder order;
    std::shared_ptr<const Bytes> repeat;
    std::shared_ptr<const Bytes> answer;
    Us send_at = kNever;
    Us detect_at = kNever;
    bool listened = false;  // one more detection time, since it last heard something
    bool away = false;      // missed a whole turn of its own, since it last heard something
    Us said_at = -1;        // arrival of the last packet that did not put the detection time off
    uint64_t expiries = 0;
  };

  Session* Find(SessionId id);
  Session* Route(const BfdArrival& arrival);
  void TakeUpOne(Session* session, const BfdTold& told);
  void Replay(Session* session, BfdEvent event);
  void Rearm(Session* session);
  void Repeat(Session* session, const BfdRepeat& repeat);
  Us Jittered(const BfdRepeat& repeat);
  void Heard(Session* session, Us at);
  void Detect(Session* session, Us now);
  static void ForgetPeer(Session* session);
  static bool WasAway(const Session& session, Us now);

  std::unordered_map<SessionId, std::unique_ptr<Session>> sessions_;
  std::unordered_map<uint32_t, Session*> by_discriminator_;
  Deadlines deadlines_;
  std::minstd_rand random_;
  std::vector<BfdSend> sends_;
  std::vector<BfdEvent> events_;
};

}  // namespace vipd
