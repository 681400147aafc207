// What a process can change of where it runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vipd {

// This thread, and every thread and process that it starts from now on, uses the network namespace
// whose file that is. 0, or the errno.
int EnterNetwork(const std::string& path);

// Every thread of this process runs on these processors alone, and what they start. 0, or the
// errno.
int UseProcessors(const std::vector<int>& processors);

// The step in which the kernel counts its timeouts (a jiffy), in µs; 0: not known.
int64_t TickUs();

// A core dump of any size may be written when this process dies of a fault. 0, or the errno.
int AllowCores();

}  // namespace vipd
