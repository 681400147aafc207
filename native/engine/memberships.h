// Multicast memberships that the kernel dropped with a device (one that moved between network
// namespaces, an IPv6 MTU below 1280) while the sockets that asked for them stayed open.
#pragma once

#include <napi.h>

#include <vector>

#include "engine/warden_port.h"

namespace vipd {

// A link and the group that it receives on.
struct Member {
  LinkPtr link;
  Address group;
};

// Joins again on a thread of its own, since the kernel's lock for it may be held for long. Resolves
// with what failed: [{ link, call, errno }].
Napi::Value Rejoin(Napi::Env env, std::vector<Member> members);

}  // namespace vipd
