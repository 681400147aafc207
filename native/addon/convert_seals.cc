// Seals on their way down, and what is known of those who sealed what was heard on its way up.
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

}  // namespace

std::optional<Seal> SealFrom(const Napi::Value& given) {
  if (given.IsNull()) return std::nullopt;
  const Napi::Object value = ObjectFrom(given, "seal");
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

std::shared_ptr<SealSenders> SendersFor(const std::optional<Seal>& seal) {
  if (!seal.has_value()) return nullptr;
  return std::make_shared<SealSenders>(seal->unicast ? seal->peers.size() : SealSenders::kLately);
}

Napi::Array SendersTo(Napi::Env env, const SealSenders* senders) {
  Napi::Array out = Napi::Array::New(env);
  if (senders == nullptr) return out;
  for (const SealSender& sender : senders->senders) {
    const Us at = sender.at;
    if (at < 0) continue;
    Napi::Object one = Napi::Object::New(env);
    one.Set("address", AddressTo(env, sender.address()));
    Set(&one, "skewSeconds", sender.skew);
    Set(&one, "at", at);
    out.Set(out.Length(), one);
  }
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
