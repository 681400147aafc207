#include "engine/trailer_check.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace vipd {

namespace {

// No index.
constexpr size_t kNowhere = static_cast<size_t>(-1);
// RFC 9568 sections 5.1.1.3 and 5.2.1.
constexpr int kMulticastTtl = 255;
constexpr size_t kCountAt = 3;         // the number of addresses, RFC 9568 section 5.2
constexpr size_t kPasswordOctets = 8;  // version 2 over IPv4, always there

// By its own version and count; 0: it has no complete header.
size_t PduOctets(int family, std::span<const uint8_t> payload) {
  if (payload.size() < kHeaderOctets) return 0;
  const size_t addresses = payload[kCountAt] * (family == 4 ? size_t{4} : size_t{16});
  return kHeaderOctets + addresses + (payload[0] >> 4 == 2 && family == 4 ? kPasswordOctets : 0);
}

SealSequence ReadSequence(std::span<const uint8_t> sealed) {
  SealSequence sequence = 0;
  for (size_t i = 4; i < kSealedOctets; ++i) sequence = sequence << 8 | sealed[i];
  return sequence;
}

}  // namespace

TrailerCheck::TrailerCheck(Seal seal, std::shared_ptr<SealSenders> senders,
                           const std::atomic<SealSequence>* sent, const TrailerCheck* before)
    : seal_(std::move(seal)),
      senders_(std::move(senders)),
      sent_(sent),
      marks_(senders_->senders.size()) {
  for (size_t i = 0; i < marks_.size() && i < seal_.peers.size(); ++i)
    senders_->senders[i].Name(seal_.peers[i]);
  for (const SealMark& mark : seal_.marks) TrailerCheck::Remember(mark);
  if (before == nullptr) return;
  for (size_t old = 0; old < before->marks_.size(); ++old) {
    const SealSender& known = before->senders_->senders[old];
    if (!before->marks_[old].set) continue;
    const size_t at = PlaceToMark(known.address());
    if (at == kNowhere) continue;
    marks_[at] = before->marks_[old];
    senders_->senders[at].skew = known.skew.load();
    senders_->senders[at].at = known.at.load();
    senders_->senders[at].last = marks_[at].last;
    senders_->senders[at].set = true;
  }
}

// What a process before this one heard.
void TrailerCheck::Remember(const SealMark& mark) {
  const size_t at = PlaceToMark(mark.sender);
  if (at == kNowhere) return;
  marks_[at] = {mark.last, true, mark.skewed};
  senders_->senders[at].last = mark.last;
  senders_->senders[at].at = mark.at;
  senders_->senders[at].skew = mark.skew;
  senders_->senders[at].set = true;
}

std::vector<SealMark> TrailerCheck::Marks() const {
  std::vector<SealMark> out;
  for (size_t i = 0; i < marks_.size(); ++i) {
    const SealSender& sender = senders_->senders[i];
    if (marks_[i].set)
      out.push_back({sender.address(), marks_[i].last, sender.at, sender.skew, marks_[i].skewed});
  }
  return out;
}

size_t TrailerCheck::PlaceOf(const Address& from) const {
  for (size_t i = 0; i < marks_.size(); ++i)
    if (senders_->senders[i].length != 0 && senders_->senders[i].address() == from) return i;
  return kNowhere;
}

size_t TrailerCheck::PlaceToMark(const Address& from) {
  const size_t known = PlaceOf(from);
  if (known != kNowhere || seal_.unicast) return known;
  const auto oldest = std::ranges::min_element(
      senders_->senders, {}, [](const SealSender& sender) { return sender.at.load(); });
  oldest->Name(from);
  const auto at = static_cast<size_t>(oldest - senders_->senders.begin());
  marks_[at] = {};
  return at;
}

// A clock that was wrong when the mark was made, and is right now, must not silence its sender.
bool TrailerCheck::Forgotten(const Mark& mark, Us wall) const {
  if (seal_.monotonic) return false;
  return std::abs(SecondsOf(mark.last) - wall / 1'000'000) > seal_.window;
}

// What this slot has sent itself and hears again: a router whose priority has sunk meanwhile would
// yield to itself. A later one is of another router that has the same address.
bool TrailerCheck::IsOwn(const Address& from, SealSequence sequence) const {
  if (sent_ == nullptr || from != seal_.source) return false;
  const SealSequence sent = sent_->load();
  return sent != 0 && !Later(sequence, sent);
}

SealCheck::Judgement TrailerCheck::Judge(const Packet& packet, Us wall, Us now) {
  const auto& [from, ttl, header, payload] = packet;
  const size_t pdu_octets = PduOctets(seal_.family, payload);
  // What the decoder rejects for another reason, it names.
  if (pdu_octets == 0 || payload[0] >> 4 != seal_.version || payload[1] != seal_.vrid) return {};
  if (!seal_.unicast && ttl != kMulticastTtl) return {};
  if (payload.size() != pdu_octets + kTrailerOctets) return {SealVerdict::kMissing};
  const auto pdu = payload.first(pdu_octets);
  const auto sealed = payload.subspan(pdu_octets, kSealedOctets);
  if (sealed[0] != kTrailerType || sealed[2] != 0 || sealed[3] != 0)
    return {SealVerdict::kMalformed};
  const SealSequence sequence = ReadSequence(sealed);
  const int64_t skew = SecondsOf(sequence) - wall / 1'000'000;
  if (!seal_.monotonic && std::abs(skew) > seal_.window) return {SealVerdict::kStale, skew};
  const HmacKey* key = seal_.KeyOf(sealed[1]);
  if (key == nullptr) return {SealVerdict::kUnknownKey, skew};
  const SealPrefix prefix = MakeSealPrefix(seal_.family, seal_.version, seal_.vrid, from);
  const Mac mac = SealMac(*key, prefix, pdu, sealed);
  if (!EqualConstantTime(mac, payload.last(kMacOctets))) return {SealVerdict::kInvalid, skew};
  if (IsOwn(from, sequence)) return {SealVerdict::kReplayed, skew};
  const size_t at = PlaceToMark(from);
  if (at == kNowhere) return {SealVerdict::kUnknownSender, skew};
  Mark& mark = marks_[at];
  if (mark.set && !Later(sequence, mark.last) && !Forgotten(mark, wall))
    return {SealVerdict::kReplayed, skew};
  const bool skewed = !seal_.monotonic && std::abs(skew) * 2 > seal_.window;
  const bool news = skewed && !mark.skewed;
  mark = {sequence, true, skewed};
  senders_->senders[at].skew = skew;
  senders_->senders[at].at = now;
  senders_->senders[at].last = sequence;
  senders_->senders[at].set = true;
  return {SealVerdict::kVerified, skew, news};
}

bool TrailerCheck::Judged(const Packet& packet) const {
  const size_t at = PlaceOf(packet.from);
  if (at == kNowhere || !marks_[at].set || packet.payload.size() < kTrailerOctets) return false;
  return !Later(ReadSequence(packet.payload.last(kTrailerOctets)), marks_[at].last);
}

// What the trailer covers. The checksum of IPv6 covers the trailer and so differs each time; the
// MAC says more than it does.
bool TrailerCheck::SaysTheSame(std::span<const uint8_t> a, std::span<const uint8_t> b) const {
  const size_t skipped_to = seal_.family == 6 ? kChecksumEnd : kChecksumAt;
  const size_t rest = a.size() - kTrailerOctets - skipped_to;
  return std::ranges::equal(a.first(kChecksumAt), b.first(kChecksumAt)) &&
         std::ranges::equal(a.subspan(skipped_to, rest), b.subspan(skipped_to, rest));
}

}  // namespace vipd
