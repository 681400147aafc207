// What the warden writes, in the form of its daemon's log (src/daemon/log.ts, journal-entry.ts):
// lines, and entries for journald. Made in room that is there before the emergency.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace vipd {

// For people; for journald, which keeps the time itself; JSON.
enum class LogForm { kText, kJournal, kJson };

// "text", "journal", "json"; text for anything else.
LogForm LogFormFrom(std::string_view name);

// Reads what it takes to tell the local time; once, before the emergency.
void PrepareLogLines();

// An error of now.
struct LogEntry {
  // Plain text: no quotes, backslashes or control characters. The instances are told behind it.
  std::string_view what;
  // The kind of the cause, as a transition's: lower case and hyphens.
  std::string_view cause;
  // Names that were escaped with `Escaped`.
  std::span<const std::string* const> instances;
};

// As JSON.stringify does it with control characters, and with `quoted` with " and \ as well.
std::string Escaped(std::string_view name, bool quoted);

// The line with its newline; for journald's stream with the severity before it. Returns its octets:
// names that have no room are only counted. `line`: 2 kB at least.
std::size_t FormatLogLine(LogForm form, const LogEntry& entry, std::span<char> line);

// The same as a datagram to journald (systemd's "Native Journal Protocol"), with an VIPD_INSTANCE
// for each instance from `*next` on that has room; `*next` is then the first that has none.
// `datagram`: 16 kB at least, so that each call has room for a name.
std::size_t FormatJournalEntry(const LogEntry& entry, std::size_t* next, std::span<char> datagram);

}  // namespace vipd
