// Seals: what arrives may be any octets, and keys, clocks and senders may be any too. What the
// table has sealed verifies once and not again; what differs in one bit that is covered never does.
#include <algorithm>
#include <cstring>
#include <memory>

#include "base/seal_table.h"
#include "engine/seal_check.h"
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

std::unique_ptr<SealCheck> CheckOf(const Seal& seal, const SealCheck* before = nullptr) {
  const size_t senders = seal.unicast ? seal.peers.size() : SealSenders::kLately;
  return std::make_unique<SealCheck>(seal, std::make_shared<SealSenders>(senders), before);
}

// In memory that ends where the octets end.
SealVerdict JudgeCopy(SealCheck* check, const Address& from, std::span<const uint8_t> octets,
                      Us wall) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[octets.size()]);
  if (!octets.empty()) memcpy(copy.get(), octets.data(), octets.size());
  return check->Judge(from, 255, {copy.get(), octets.size()}, wall, 1).verdict;
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
  Require(table != nullptr && table->Set(1, &seal), "there is room");
  auto check = CheckOf(seal);
  Us wall = kWall + in->Below(250) * kSecond;
  for (int turn = 0; turn < 6 && !in->empty(); ++turn) {
    // The clock goes on, stands, or is set back.
    wall += (in->Below(5) - 1) * kSecond / 2;
    const Step step = SomeAdvert(in, seal);
    Bytes sealed;
    Require(table->Apply(1, step, wall, &sealed) == SealTable::Outcome::kSealed, "it is sealed");
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
  }
}

}  // namespace

}  // namespace vipd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vipd::Input in({data, size});
  if (in.Below(2) == 0)
    vipd::Arbitrary(&in);
  else
    vipd::SealedOnce(&in);
  return 0;
}
