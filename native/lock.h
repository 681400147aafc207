// A lock that a process holds until it ends, however it ends (flock(2)).
#pragma once

#include <string>

namespace vipd {

// Creates the file where it is missing. 0, or the errno: EWOULDBLOCK when another process holds it.
// Held from then on: nobody unlocks it but the end of this process.
int LockForLife(const std::string& path);

}  // namespace vipd
