// What the engine tells, on its way up: events and counters.
#include "addon/convert.h"

namespace vipd {

namespace {

const char* KindName(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kPacket:
      return "packet";
    case Event::Kind::kExpired:
      return "expired";
    case Event::Kind::kFailed:
      return "failed";
    case Event::Kind::kLate:
      return "late";
    case Event::Kind::kLapsed:
      return "lapsed";
    case Event::Kind::kKernel:
      return "kernel";
    case Event::Kind::kOverrun:
      return "overrun";
    case Event::Kind::kLinkFailed:
      return "linkFailed";
    case Event::Kind::kWardenLost:
      return "wardenLost";
    case Event::Kind::kRealtimeLost:
      return "realtimeLost";
    case Event::Kind::kStranger:
      return "stranger";
    case Event::Kind::kSkewed:
      return "skewed";
    case Event::Kind::kGaveSlots:
      return "gaveSlots";
    case Event::Kind::kTookSlots:
      return "tookSlots";
    case Event::Kind::kExchangeOver:
      return "exchangeOver";
    case Event::Kind::kAnswer:
      return "answer";
  }
  return "";
}

void SetSlot(Napi::Object* out, const Event& event) {
  Set(out, "slot", event.slot);
  Set(out, "generation", event.generation);
  Set(out, "at", event.at);
}

void SetFailure(Napi::Object* out, const Event& event) {
  out->Set("call", event.call);
  Set(out, "errno", event.error);
}

Napi::Object SealTo(Napi::Env env, const Event& event) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("verdict", VerdictName(event.seal));
  Set(&out, "skewSeconds", event.skew);
  return out;
}

Napi::Object EventTo(Napi::Env env, const Event& event) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("kind", KindName(event.kind));
  switch (event.kind) {
    case Event::Kind::kPacket:
      SetSlot(&out, event);
      Set(&out, "link", event.link);
      out.Set("from", AddressTo(env, event.from));
      Set(&out, "ttl", event.ttl);
      out.Set("payload", BytesTo(env, event.bytes));
      Set(&out, "count", event.count);
      if (event.seal != SealVerdict::kNone) out.Set("seal", SealTo(env, event));
      break;
    case Event::Kind::kSkewed:
      SetSlot(&out, event);
      out.Set("from", AddressTo(env, event.from));
      Set(&out, "skewSeconds", event.skew);
      break;
    case Event::Kind::kExpired:
      SetSlot(&out, event);
      Set(&out, "deadlineUs", event.deadline);
      Set(&out, "doneAt", event.done_at);
      break;
    case Event::Kind::kFailed:
      SetSlot(&out, event);
      SetFailure(&out, event);
      Set(&out, "step", event.step);
      out.Set("stepKind", KindName(event.step_kind));
      out.Set("detail", event.detail);
      out.Set("request", event.bytes.empty() ? env.Null() : BytesTo(env, event.bytes));
      break;
    case Event::Kind::kLate:
      SetSlot(&out, event);
      Set(&out, "lateUs", event.late_by);
      break;
    case Event::Kind::kLapsed:
      SetSlot(&out, event);
      break;
    case Event::Kind::kGaveSlots:
    case Event::Kind::kTookSlots:
      Set(&out, "at", event.at);
      break;
    case Event::Kind::kExchangeOver:
      Set(&out, "at", event.at);
      out.Set("why", event.detail);
      break;
    case Event::Kind::kKernel:
      out.Set("bytes", BytesTo(env, event.bytes));
      break;
    case Event::Kind::kOverrun:
    case Event::Kind::kWardenLost:
    case Event::Kind::kRealtimeLost:
      break;
    case Event::Kind::kStranger:
      Set(&out, "link", event.link);
      Set(&out, "vrid", event.vrid);
      out.Set("from", AddressTo(env, event.from));
      break;
    case Event::Kind::kLinkFailed:
      Set(&out, "link", event.link);
      SetFailure(&out, event);
      break;
    case Event::Kind::kAnswer:
      Set(&out, "id", event.id);
      if (event.call == nullptr) {
        out.Set("bytes", BytesTo(env, event.bytes));
        break;
      }
      SetFailure(&out, event);
      out.Set("detail", event.detail);
      break;
  }
  return out;
}

Napi::Value InstantTo(Napi::Env env, Us at) {
  return at < 0 ? env.Null() : Napi::Number::New(env, static_cast<double>(at));
}

}  // namespace

Napi::Array EventsTo(Napi::Env env, const std::vector<Event>& events) {
  Napi::Array out = Napi::Array::New(env, events.size());
  for (uint32_t i = 0; i < events.size(); ++i) {
    const Napi::HandleScope scope(env);
    out.Set(i, EventTo(env, events[i]));
  }
  return out;
}

Napi::Object CountersTo(Napi::Env env, const SlotCounters* counters) {
  Napi::Object out = Napi::Object::New(env);
  Set(&out, "received", static_cast<Us>(counters->received.load()));
  Set(&out, "sent", static_cast<Us>(counters->sent.load()));
  out.Set("lastReceivedUs", InstantTo(env, counters->last_received.load()));
  out.Set("lastExpectedUs", InstantTo(env, counters->last_expected.load()));
  out.Set("lastSentUs", InstantTo(env, counters->last_sent.load()));
  out.Set("seals", VerdictsTo(env, *counters));
  return out;
}

Napi::Object CountersTo(Napi::Env env, const LinkCounters& counters) {
  Napi::Object out = Napi::Object::New(env);
  Set(&out, "received", static_cast<Us>(counters.received.load()));
  Set(&out, "throttled", static_cast<Us>(counters.throttled.load()));
  Set(&out, "coalesced", static_cast<Us>(counters.coalesced.load()));
  Set(&out, "unclaimed", static_cast<Us>(counters.unclaimed.load()));
  return out;
}

// The bounds with what is counted by them, so that they stand in one place.
Napi::Object WakeupsTo(Napi::Env env, const WakeupRecord& wakeups) {
  Napi::Object out = Napi::Object::New(env);
  auto until = Napi::Array::New(env);
  auto counts = Napi::Array::New(env);
  for (uint32_t i = 0; i < WakeupRecord::kUntil.size(); ++i)
    until.Set(i, static_cast<double>(WakeupRecord::kUntil.at(i)));
  for (uint32_t i = 0; i <= WakeupRecord::kUntil.size(); ++i)
    counts.Set(i, static_cast<double>(wakeups.count(i)));
  out.Set("untilUs", until);
  out.Set("counts", counts);
  Set(&out, "sumUs", static_cast<Us>(wakeups.sum()));
  return out;
}

}  // namespace vipd
