// What any program of this host sends on an interface: a look at the way out. Nothing is sent, and
// nothing that arrives is seen.
#pragma once

#include <napi.h>

namespace vipd {

// Exports openOutgoing(ifindex, filter), a descriptor; readOutgoing(fd), the first octets of each
// packet from its IP header on, that lies there; closeOutgoing(fd). Throws as `Failed` says.
// `filter` is a struct sock_filter[] that begins at the IP header.
void DefineEgress(Napi::Env env, Napi::Object exports);

}  // namespace vipd
