// Seals on their way down, and what is known of those who sealed what was heard on its way up.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "addon/convert.h"

namespace vipd {

namespace {

bool FlagIn(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsBoolean())
    throw Wrong(object.Env(), std::string(name) + " is neither true nor false");
  return value.ToBoolean();
}

SealKey KeyFrom(const Napi::Object& value) {
  const int id = IntIn(value, "id");
  if (id < 1 || id > 255) throw Napi::RangeError::New(value.Env(), "a key's id is in 1..255");
  return {static_cast<uint8_t>(id), MakeHmacKey(BytesFrom(value.Get("secret")))};
}

// A sequence crosses as hexadecimal digits: a number of JavaScript has 53 bits.
SealSequence SequenceFrom(const Napi::Object& value, const char* name) {
  return strtoull(TextIn(value, name).c_str(), nullptr, 16);
}

std::string SequenceText(SealSequence sequence) {
  std::array<char, 17> digits;
  snprintf(digits.data(), digits.size(), "%016" PRIx64, sequence);
  return digits.data();
}

SealMark MarkFrom(const Napi::Object& value) {
  SealMark mark;
  mark.sender = AddressFrom(value.Get("address"));
  mark.last = SequenceFrom(value, "sequence");
  mark.at = UsIn(value, "at");
  mark.skew = UsIn(value, "skewSeconds");
  return mark;
}

AhSeal AhFrom(const Napi::Object& value) {
  AhSeal seal;
  seal.source = AddressFrom(value.Get("source"));
  seal.key = MakeMd5Key(BytesFrom(value.Get("key")));
  seal.ttl = static_cast<uint8_t>(IntIn(value, "ttl"));
  seal.unicast = FlagIn(value, "unicast");
  return seal;
}

Seal TrailerFrom(const Napi::Object& value) {
  Seal seal;
  seal.family = IntIn(value, "family");
  seal.version = IntIn(value, "version");
  seal.vrid = static_cast<uint8_t>(IntIn(value, "vrid"));
  seal.source = AddressFrom(value.Get("source"));
  const Napi::Array keys = ArrayIn(value, "keys");
  for (uint32_t i = 0; i < keys.Length(); ++i)
    seal.keys.push_back(KeyFrom(ObjectFrom(keys.Get(i), "key")));
  seal.active = static_cast<uint8_t>(IntIn(value, "activeKey"));
  if (seal.KeyOf(seal.active) == nullptr)
    throw Napi::RangeError::New(value.Env(), "the active key is not among the keys");
  seal.signs = FlagIn(value, "signs");
  seal.requires_it = FlagIn(value, "requires");
  seal.monotonic = FlagIn(value, "monotonic");
  seal.window = IntIn(value, "windowSeconds");
  seal.unicast = !value.Get("peers").IsNull();
  if (seal.unicast) seal.peers = AddressesFrom(ArrayIn(value, "peers"));
  return seal;
}

}  // namespace

std::optional<AnySeal> SealFrom(const Napi::Value& given, const Napi::Value& memory,
                                const EnginePolicy& policy) {
  if (given.IsNull()) return std::nullopt;
  const Napi::Object value = ObjectFrom(given, "seal");
  if (TextIn(value, "kind") == "ah") {
    AhSeal seal = AhFrom(value);
    seal.traffic_class = static_cast<uint8_t>(policy.traffic_class);
    return seal;
  }
  Seal seal = TrailerFrom(value);
  if (!memory.IsObject()) return seal;
  const Napi::Array heard = ArrayIn(memory.As<Napi::Object>(), "heard");
  for (uint32_t i = 0; i < heard.Length(); ++i)
    seal.marks.push_back(MarkFrom(ObjectFrom(heard.Get(i), "mark")));
  return seal;
}

SealSequence SentFrom(const Napi::Value& memory) {
  return memory.IsObject() ? SequenceFrom(memory.As<Napi::Object>(), "sent") : 0;
}

std::shared_ptr<SealSenders> SendersFor(const std::optional<AnySeal>& any) {
  const Seal* seal = any.has_value() ? std::get_if<Seal>(&*any) : nullptr;
  if (seal == nullptr) return nullptr;
  return std::make_shared<SealSenders>(seal->unicast ? seal->peers.size() : SealSenders::kLately);
}

namespace {

Napi::Object SenderTo(Napi::Env env, const SealSender& sender) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("address", AddressTo(env, sender.address()));
  Set(&out, "skewSeconds", sender.skew);
  Set(&out, "at", sender.at);
  return out;
}

}  // namespace

Napi::Array SendersTo(Napi::Env env, const SealSenders* senders) {
  Napi::Array out = Napi::Array::New(env);
  if (senders == nullptr) return out;
  for (const SealSender& sender : senders->senders)
    if (sender.at >= 0) out.Set(out.Length(), SenderTo(env, sender));
  return out;
}

Napi::Object SealMemoryTo(Napi::Env env, const SealSenders* senders, SealSequence sent) {
  Napi::Array heard = Napi::Array::New(env);
  for (size_t i = 0; senders != nullptr && i < senders->senders.size(); ++i) {
    const SealSender& sender = senders->senders[i];
    if (!sender.set) continue;
    Napi::Object one = SenderTo(env, sender);
    one.Set("sequence", SequenceText(sender.last));
    heard.Set(heard.Length(), one);
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("sent", SequenceText(sent));
  out.Set("heard", heard);
  return out;
}

const char* VerdictName(SealVerdict verdict) {
  switch (verdict) {
    case SealVerdict::kNone:
      return "none";
    case SealVerdict::kVerified:
      return "verified";
    case SealVerdict::kMissing:
      return "missing";
    case SealVerdict::kMalformed:
      return "malformed";
    case SealVerdict::kStale:
      return "stale";
    case SealVerdict::kUnknownKey:
      return "unknown-key";
    case SealVerdict::kInvalid:
      return "invalid";
    case SealVerdict::kReplayed:
      return "replayed";
    case SealVerdict::kUnknownSender:
      return "unknown-sender";
  }
  return "";
}

Napi::Object VerdictsTo(Napi::Env env, const SlotCounters& counters) {
  Napi::Object out = Napi::Object::New(env);
  for (size_t i = 1; i < kSealVerdicts; ++i)
    Set(&out, VerdictName(static_cast<SealVerdict>(i)), static_cast<Us>(counters.seals[i].load()));
  Set(&out, "unsigned", static_cast<Us>(counters.unsigned_heard.load()));
  return out;
}

}  // namespace vipd
