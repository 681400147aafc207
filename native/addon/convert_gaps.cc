#include "addon/convert.h"

namespace vipd {

namespace {

Napi::Number Figure(Napi::Env env, auto value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

// Those that were used, in no order.
Napi::Array WindowsTo(Napi::Env env, const AdvertWindows& adverts) {
  Napi::Array out = Napi::Array::New(env);
  for (const AdvertWindows::Window& window : adverts.windows()) {
    const Us start = window.start.load();
    if (start < 0) continue;
    Napi::Object one = Napi::Object::New(env);
    one.Set("startUs", Figure(env, start));
    one.Set("heard", Figure(env, window.heard.load()));
    one.Set("missed", Figure(env, window.missed.load()));
    one.Set("longestUs", Figure(env, window.longest.load()));
    out.Set(out.Length(), one);
  }
  return out;
}

}  // namespace

Napi::Object GapsTo(Napi::Env env, const SlotCounters& counters) {
  const GapRecord& gaps = counters.gaps;
  Napi::Array histogram = Napi::Array::New(env);
  for (int i = 0; i < GapRecord::kBuckets; ++i)
    histogram.Set(static_cast<uint32_t>(i), Napi::Number::New(env, gaps.bucket(i)));
  Napi::Array unusual = Napi::Array::New(env);
  for (int i = 0; i < gaps.long_kept(); ++i) {
    const GapRecord::Long gap = gaps.long_at(i);
    Napi::Object one = Napi::Object::New(env);
    one.Set("atUs", Napi::Number::New(env, static_cast<double>(gap.at)));
    one.Set("gapUs", Napi::Number::New(env, static_cast<double>(gap.gap)));
    unusual.Set(static_cast<uint32_t>(i), one);
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("histogram", histogram);
  out.Set("long", unusual);
  out.Set("heard", Figure(env, counters.adverts.heard()));
  out.Set("missed", Figure(env, counters.adverts.missed()));
  out.Set("windows", WindowsTo(env, counters.adverts));
  return out;
}

}  // namespace vipd
