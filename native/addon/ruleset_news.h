// What the kernel says of the host's nftables rules: that they have changed, and which rules a
// table has.
#pragma once

#include <napi.h>

namespace vipd {

// Exports openRulesetNews(onNews) and netfilterRequest(bytes). The first returns an object with
// `fd` and `close()`; onNews is called without arguments after each change of any table, once for
// many that lie in wait. The second carries out one nfnetlink request that only reads, and returns
// the answer's messages; no lock of the kernel's is waited for. Both throw as `Failed` says.
void DefineRuleset(Napi::Env env, Napi::Object exports);

}  // namespace vipd
