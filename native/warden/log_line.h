// A line of the warden in the form of its daemon's log (src/daemon/log.ts), made without
// allocation.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace vipd {

// For people; the same for journald, which reads the severity and keeps the time itself; JSON.
enum class LogForm { kText, kJournal, kJson };

// "text", "journal", "json"; text for anything else.
LogForm LogFormFrom(std::string_view name);

// Reads what it takes to tell the local time; once, before the emergency.
void PrepareLogLines();

// An error of now, with its newline. `what` is plain text: no quotes, backslashes or control
// characters. Returns the octets that were written; a longer line is cut.
std::size_t FormatLogLine(LogForm form, const char* what, std::span<char> line);

}  // namespace vipd
