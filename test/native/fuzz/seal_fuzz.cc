// Seals, of both kinds: what arrives may be any octets, and keys, clocks and senders may be any
// too. What the table has sealed verifies once and not again; what differs in one bit that is
// covered never does.
#include <algorithm>
#include <cstring>
#include <memory>

#include "base/seal_table.h"
#include "engine/ah_check.h"
#include "engine/trailer_check.h"
#include "fuzz.h"

namespace vipd {

namespace {

constexpr Us kWall = 1'795'000'000'000'000;
constexpr Us kSecond = 1'000'000;

Address SomeAddress(Input* in, int family) {
  Address address;
  address.length = family == 4 ? 4 : 16;
  address.octets[address.length - 1u] = static_cast<uint8_t>(1 + in->Below(6));
  return address;
}

Seal SomeSeal(Input* in) {
  Seal seal;
  seal.family = in->Below(2) == 0 ? 4 : 6;
  seal.version = seal.family == 6 ? 3 : 2 + in->Below(2);
  seal.vrid = static_cast<uint8_t>(1 + in->Below(3));
  seal.source = SomeAddress(in, seal.family);
  for (int id = 1; id <= 1 + in->Below(3); ++id) {
    Bytes secret = in->Octets(static_cast<size_t>(32 + in->Below(33)));
    secret.resize(std::max<size_t>(secret.size(), 32), static_cast<uint8_t>(id));
    seal.keys.push_back({static_cast<uint8_t>(id), MakeHmacKey(secret)});
  }
  seal.active = 1;
  seal.requires_it = in->Below(2) == 0;
  seal.monotonic = in->Below(2) == 0;
  seal.window = 5;
  seal.unicast = in->Below(3) == 0;
  if (seal.unicast) seal.peers = {seal.source, SomeAddress(in, seal.family)};
  return seal;
}

std::unique_ptr<TrailerCheck> CheckOf(const Seal& seal, const TrailerCheck* before = nullptr,
                                      const std::atomic<SealSequence>* sent = nullptr) {
  const size_t senders = seal.unicast ? seal.peers.size() : SealSenders::kLately;
  return std::make_unique<TrailerCheck>(seal, std::make_shared<SealSenders>(senders), sent, before);
}

// In memory that ends where the octets end.
SealVerdict JudgeCopy(SealCheck* check, const Address& from, std::span<const uint8_t> octets,
                      Us wall) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[octets.size()]);
  if (!octets.empty()) memcpy(copy.get(), octets.data(), octets.size());
  return check->Judge({from, 255, {}, {copy.get(), octets.size()}}, wall, 1).verdict;
}

// A PDU of this version with as many addresses as it says.
Step SomeAdvert(Input* in, const Seal& seal) {
  const auto count = static_cast<uint8_t>(in->Below(4));
  const size_t addresses = count * (seal.family == 4 ? size_t{4} : size_t{16});
  const size_t password = seal.version == 2 && seal.family == 4 ? 8 : 0;
  Step step;
  step.to = SomeAddress(in, seal.family);
  step.bytes = in->Octets(kHeaderOctets + addresses + password);
  step.bytes.resize(kHeaderOctets + addresses + password);
  step.bytes[0] = static_cast<uint8_t>(seal.version << 4 | 1);
  step.bytes[1] = seal.vrid;
  step.bytes[3] = count;
  return step;
}

SealTable* Table() {
  static OpenFailure failure;
  static const std::unique_ptr<SealTable> table = SealTable::Make(&failure);
  return table.get();
}

void Arbitrary(Input* in) {
  const Seal seal = SomeSeal(in);
  auto check = CheckOf(seal);
  for (int turn = 0; turn < 8 && !in->empty(); ++turn) {
    const Address from = SomeAddress(in, seal.family);
    Bytes octets = in->Octets(static_cast<size_t>(in->Below(128)));
    if (!octets.empty() && in->Below(2) == 0)
      octets[0] = static_cast<uint8_t>(seal.version << 4 | 1);
    if (octets.size() > 1 && in->Below(2) == 0) octets[1] = seal.vrid;
    const SealVerdict verdict = JudgeCopy(check.get(), from, octets, kWall);
    Require(verdict != SealVerdict::kVerified, "no octets verify by chance");
    if (in->Below(3) == 0) check = CheckOf(seal, check.get());
  }
}

void SealedOnce(Input* in) {
  const Seal seal = SomeSeal(in);
  SealTable* table = Table();
  const AnySeal any = seal;
  Require(table != nullptr && table->Set(1, &any), "there is room");
  auto check = CheckOf(seal);
  Us wall = kWall + in->Below(250) * kSecond;
  for (int turn = 0; turn < 6 && !in->empty(); ++turn) {
    // The clock goes on, stands, or is set back.
    wall += (in->Below(5) - 1) * kSecond / 2;
    const Step step = SomeAdvert(in, seal);
    Bytes sealed;
    Require(Sealer(table).Apply(0, 1, step, wall, &sealed) == SealTable::Outcome::kSealed,
            "it is sealed");
    Require(sealed.size() == step.bytes.size() + kTrailerOctets, "a trailer is behind it");
    Bytes flipped = sealed;
    const size_t at = static_cast<size_t>(in->Octet()) % flipped.size();
    flipped[at] = static_cast<uint8_t>(flipped[at] ^ (1u << in->Below(8)));
    const bool covered = at < kChecksumAt || at >= kChecksumEnd;
    if (covered)
      Require(JudgeCopy(check.get(), seal.source, flipped, wall) != SealVerdict::kVerified,
              "what differs in one bit does not verify");
    Require(JudgeCopy(check.get(), seal.source, sealed, wall) == SealVerdict::kVerified,
            "what was sealed verifies, however the clock goes");
    if (in->Below(2) == 0) check = CheckOf(seal, check.get());
    Require(JudgeCopy(check.get(), seal.source, sealed, wall) == SealVerdict::kReplayed,
            "and not twice");
    auto own = CheckOf(seal, nullptr, table->SequenceOf(1));
    Require(JudgeCopy(own.get(), seal.source, sealed, wall) == SealVerdict::kReplayed,
            "and not to the slot that sent it");
  }
}

AhSeal SomeAh(Input* in) {
  AhSeal seal;
  seal.source = SomeAddress(in, 4);
  const std::array<uint8_t, 8> key = {in->Octet(), in->Octet()};
  seal.key = MakeMd5Key(key);
  seal.ttl = 255;
  seal.unicast = in->Below(2) == 0;
  return seal;
}

// As the engine reads it, in memory that ends where the packet ends.
SealVerdict JudgePacket(AhCheck* check, std::span<const uint8_t> octets) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[octets.size()]);
  if (!octets.empty()) memcpy(copy.get(), octets.data(), octets.size());
  const auto packet = ReadPacket4({copy.get(), octets.size()}, true);
  return packet.has_value() ? check->Judge(*packet, kWall, 1).verdict : SealVerdict::kMalformed;
}

// Any octets with what a header must have, so that they reach the ICV.
void ArbitraryAh(Input* in) {
  AhCheck check(SomeAh(in), nullptr, nullptr);
  for (int turn = 0; turn < 8 && !in->empty(); ++turn) {
    Bytes octets = in->Octets(static_cast<size_t>(in->Below(160)));
    const std::array<std::pair<size_t, uint8_t>, 5> fixed = {
        {{0, 0x45}, {8, 255}, {20, kVrrpProtocol}, {21, 4}, {44, 0x21}}};
    for (const auto& [at, octet] : fixed)
      if (octets.size() > at && in->Below(8) > 0) octets[at] = octet;
    Require(JudgePacket(&check, octets) != SealVerdict::kVerified, "no octets verify by chance");
  }
}

void SignedOnce(Input* in) {
  const AhSeal seal = SomeAh(in);
  AhCheck check(seal, nullptr, nullptr);
  const Seal v2 = [] {
    Seal out;
    out.version = 2;
    return out;
  }();
  auto sequence = static_cast<uint32_t>(in->Below(250)) << 24;
  for (int turn = 0; turn < 6 && !in->empty(); ++turn) {
    sequence += static_cast<uint32_t>(1 + in->Below(100'000));
    const Step step = SomeAdvert(in, v2);
    Bytes packet;
    PutAhPacket(seal, SomeAddress(in, 4), sequence, step.bytes, &packet);
    Bytes flipped = packet;
    const size_t at = static_cast<size_t>(in->Octet()) % flipped.size();
    flipped[at] = static_cast<uint8_t>(flipped[at] ^ (1u << in->Below(8)));
    // TOS, flags and fragment offset, TTL to a unicast address, checksum.
    const bool mutable_field = at == 1 || at == 6 || at == 7 || at == 8 || at == 10 || at == 11;
    if (!mutable_field)
      Require(JudgePacket(&check, flipped) != SealVerdict::kVerified,
              "what differs in one bit that is covered does not verify");
    Require(JudgePacket(&check, packet) == SealVerdict::kVerified, "what was signed verifies");
    Require(JudgePacket(&check, packet) == SealVerdict::kReplayed, "and not twice");
  }
}

}  // namespace

}  // namespace vipd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vipd::Input in({data, size});
  switch (in.Below(4)) {
    case 0:
      vipd::Arbitrary(&in);
      break;
    case 1:
      vipd::SealedOnce(&in);
      break;
    case 2:
      vipd::ArbitraryAh(&in);
      break;
    default:
      vipd::SignedOnce(&in);
  }
  return 0;
}
