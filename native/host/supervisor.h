// A datagram to the supervisor that started us (sd_notify(3)).
#pragma once

#include <string>

namespace vipd {

// `path` is a file name, or an abstract name after '@'. 0, or the errno; never waits.
int TellSupervisor(const std::string& path, const std::string& text);

}  // namespace vipd
