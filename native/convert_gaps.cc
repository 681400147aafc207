#include "convert.h"

namespace vipd {

Napi::Object GapsTo(Napi::Env env, const GapRecord& gaps) {
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
  return out;
}

}  // namespace vipd
