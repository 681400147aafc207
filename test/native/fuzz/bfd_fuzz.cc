// BFD's core: packets may be any octets from any source, orders and instants any too. However they
// come: a take-over only after a detection time without a word of the peer, one answer at most for
// each packet, nothing for a session that is gone, and the clock is never asked to go back.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>

#include "engine/bfd_core.h"
#include "fuzz.h"

namespace vipd {

namespace {

constexpr int kSessions = 3;
constexpr size_t kPacketOctets = 24;  // RFC 5880 section 4.1
constexpr uint8_t kFinalBit = 0x10;

Address SomeAddress(Input* in) {
  Address address;
  address.length = 4;
  address.octets[3] = static_cast<uint8_t>(1 + in->Below(4));
  return address;
}

// Mostly a packet that some session may be meant by.
Bytes SomePacket(Input* in) {
  if (in->Below(8) == 0) return in->Octets(64);
  Bytes out = {0x20, static_cast<uint8_t>(in->Below(4) << 6 | in->Below(64)),
               static_cast<uint8_t>(in->Below(4)), static_cast<uint8_t>(kPacketOctets)};
  out.resize(kPacketOctets);
  out[7] = static_cast<uint8_t>(in->Below(3));
  out[11] = static_cast<uint8_t>(in->Below(kSessions + 2));
  if (in->Below(8) == 0) out[0] = in->Octet();
  if (in->Below(8) == 0) out[3] = in->Octet();
  return out;
}

BfdRepeat SomeRepeat(Input* in) {
  BfdRepeat out;
  out.bytes = SomePacket(in);
  // So that a Final is an answer.
  if (out.bytes.size() > 1) out.bytes[1] = static_cast<uint8_t>(out.bytes[1] & ~kFinalBit);
  out.every = 1 + in->Octet();
  out.shorter_least = in->Below(100);
  out.shorter_most = out.shorter_least + in->Below(100);
  return out;
}

BfdOrder SomeOrder(Input* in, const Bytes& expect, Us heard_at, uint64_t expiries) {
  BfdOrder out;
  if (in->Below(4) != 0) out.repeat = SomeRepeat(in);
  if (in->Below(4) != 0) {
    out.answer = SomePacket(in);
    out.answer.resize(kPacketOctets);
    out.answer[1] |= kFinalBit;
  }
  if (in->Below(4) != 0) out.expect = expect;
  out.detection = in->Below(4) == 0 ? 0 : 1 + in->Octet();
  out.on_expiry = SomeRepeat(in);
  if (in->Below(2) == 0) out.takeover = {in->Below(4)};
  out.heard_at = in->Below(2) == 0 ? heard_at : -1;
  out.polling = in->Below(2) == 0;
  out.expiries = in->Below(8) == 0 ? 0 : expiries;
  return out;
}

struct Known {
  std::shared_ptr<BfdCounters> counters;
  uint64_t expiries = 0;
};

class BfdRun {
 public:
  explicit BfdRun(Input* in) : in_(in), core_(in->Octet()) {}

  void Go() {
    while (!in_->empty()) {
      now_ += in_->Below(4) == 0 ? in_->Octet() * 4 : in_->Below(32);
      switch (in_->Below(6)) {
        case 0:
          AddOrRemove();
          break;
        case 1:
        case 2:
          Order();
          break;
        case 3:
        case 4:
          Packet();
          break;
        default:
          break;
      }
      core_.Tick(now_);
      Look();
    }
  }

 private:
  SessionId Any() { return in_->Below(kSessions); }

  void AddOrRemove() {
    const SessionId id = Any();
    if (known_.contains(id)) {
      core_.Remove(id);
      known_.erase(id);
      return;
    }
    BfdPath path;
    path.peer = SomeAddress(in_);
    if (in_->Below(2) == 0) path.local = SomeAddress(in_);
    path.min_ttl = in_->Below(2) == 0 ? 255 : 0;
    known_[id].counters = std::make_shared<BfdCounters>();
    core_.Add(id, static_cast<uint32_t>(id) + 1, path, known_[id].counters);
  }

  void Order() {
    const SessionId id = Any();
    const auto found = known_.find(id);
    const uint64_t expiries = found == known_.end() ? 0 : found->second.expiries;
    core_.Apply(id, SomeOrder(in_, last_, in_->Below(2) == 0 ? now_ : heard_at_, expiries), now_);
  }

  // In memory that ends where the octets end.
  void Packet() {
    last_ = SomePacket(in_);
    heard_at_ = now_ - in_->Below(8);
    const std::unique_ptr<uint8_t[]> copy(new uint8_t[last_.size()]);
    if (!last_.empty()) memcpy(copy.get(), last_.data(), last_.size());
    BfdArrival arrival;
    arrival.from = SomeAddress(in_);
    arrival.to = SomeAddress(in_);
    arrival.ttl = in_->Below(2) == 0 ? 255 : in_->Octet();
    arrival.packet = {copy.get(), last_.size()};
    arrival.at = heard_at_;
    std::map<SessionId, uint64_t> before;
    for (const auto& [id, known] : known_) before[id] = known.counters->received;
    const bool claimed = core_.Receive(arrival);
    Require(claimed || !core_.has_events(), "what is no session's raises nothing");
    for (const auto& [id, known] : known_)
      if (known.counters->received != before[id]) last_heard_[id] = heard_at_;
  }

  void Look() {
    Require(core_.NextDeadline() > now_, "what was due has been done");
    size_t finals = 0;
    for (const BfdSend& send : core_.TakeSends()) {
      Require(known_.contains(send.session), "a session that is gone sends nothing");
      if (send.bytes != nullptr && send.bytes->size() > 1)
        finals += ((*send.bytes)[1] & kFinalBit) != 0;
    }
    for (const BfdEvent& event : core_.TakeEvents()) {
      const auto found = known_.find(event.session);
      if (found == known_.end()) continue;
      Require(event.expiries >= found->second.expiries, "expiries are counted up");
      found->second.expiries = event.expiries;
      if (event.kind != BfdEvent::Kind::kExpired) continue;
      Require(event.deadline <= now_, "no detection time is over before its end");
      Require(event.takeover.empty() || event.deadline > last_heard_[event.session],
              "who is heard is not lost");
    }
    Require(finals <= 1, "one answer");
  }

  Input* in_;
  BfdCore core_;
  Us now_ = 1'000;
  Bytes last_;
  Us heard_at_ = -1;
  std::map<SessionId, Known> known_;
  std::map<SessionId, Us> last_heard_;
};

}  // namespace

}  // namespace vipd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vipd::Input in({data, size});
  vipd::BfdRun(&in).Go();
  return 0;
}
