#include "warden/log_line.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace vipd {

namespace {

constexpr long kNanosecondsPerMillisecond = 1'000'000;
// Of all that stands behind a list of names, however long they are: a line has its end, and its
// JSON is whole.
constexpr std::size_t kTailMax = 512;
// In a sentence; a list of more is for programs.
constexpr std::size_t kNamesInText = 8;
// journald takes 1,024 fields in an entry.
constexpr std::size_t kNamesInEntry = 500;

// Text that grows within the room that it was given: what has none is left out whole.
class Line {
 public:
  explicit Line(std::span<char> room) : room_(room) {}

  bool Add(std::string_view text, std::size_t keep = 0) {
    if (text.size() + keep > room_.size() - length_) return false;
    memcpy(room_.data() + length_, text.data(), text.size());
    length_ += text.size();
    return true;
  }
  std::size_t length() const { return length_; }
  void CutTo(std::size_t length) { length_ = length; }

 private:
  std::span<char> room_;
  std::size_t length_ = 0;
};

template <typename... Values>
void AddNumbers(Line* line, const char* format, Values... values) {
  std::array<char, 96> text;
  const int length = snprintf(text.data(), text.size(), format, values...);
  line->Add(
      {text.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), text.size() - 1)});
}

// Those from `from` on, at most `most`; returns the first that is not there.
std::size_t AddNames(Line* line, const LogEntry& entry, std::size_t from, std::size_t most,
                     std::string_view before, std::string_view between, std::string_view after) {
  const std::size_t end = std::min(entry.instances.size(), from + most);
  for (std::size_t i = from; i < end; ++i) {
    const std::size_t length = line->length();
    const bool fits = line->Add(i == from ? "" : between, kTailMax) &&
                      line->Add(before, kTailMax) && line->Add(*entry.instances[i], kTailMax) &&
                      line->Add(after, kTailMax);
    if (fits) continue;
    line->CutTo(length);
    return i;
  }
  return end;
}

void AddSentence(Line* line, const LogEntry& entry) {
  line->Add(entry.what);
  if (entry.instances.empty()) return;
  line->Add(" of ");
  const std::size_t told = AddNames(line, entry, 0, kNamesInText, "", ", ", "");
  const std::size_t others = entry.instances.size() - told;
  if (others > 0) AddNumbers(line, told > 0 ? " and %zu others" : "%zu instances", others);
}

void AddText(Line* line, const LogEntry& entry) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  AddNumbers(line, "%04d-%02d-%02d %02d:%02d:%02d.%03ld error ", local.tm_year + 1900,
             local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
             now.tv_nsec / kNanosecondsPerMillisecond);
  AddSentence(line, entry);
}

void AddJson(Line* line, const LogEntry& entry) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  AddNumbers(line, R"({"level":"error","time":"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ","pid":%d,)",
             utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
             now.tv_nsec / kNanosecondsPerMillisecond, getpid());
  line->Add(R"("msg":")");
  AddSentence(line, entry);
  line->Add(R"(","cause":{"kind":")");
  line->Add(entry.cause);
  line->Add(R"("},"instances":[)");
  const std::size_t told = AddNames(line, entry, 0, entry.instances.size(), "\"", ",", "\"");
  if (told < entry.instances.size())
    AddNumbers(line, R"(],"untold":%zu})", entry.instances.size() - told);
  else
    line->Add("]}");
}

bool IsControl(unsigned char c) { return c < 0x20 || c == 0x7f; }

}  // namespace

LogForm LogFormFrom(std::string_view name) {
  if (name == "json") return LogForm::kJson;
  return name == "journal" ? LogForm::kJournal : LogForm::kText;
}

void PrepareLogLines() { tzset(); }

std::string Escaped(std::string_view name, bool quoted) {
  std::string out;
  for (const char c : name) {
    if (quoted && (c == '"' || c == '\\')) out += '\\';
    if (!IsControl(static_cast<unsigned char>(c))) {
      out += c;
      continue;
    }
    const char* known = strchr("\bb\ff\nn\rr\tt", c);
    std::array<char, 8> code;
    snprintf(code.data(), code.size(), "\\u%04x", c);
    out += c != 0 && known != nullptr ? std::string{'\\', known[1]} : std::string(code.data());
  }
  return out;
}

std::size_t FormatLogLine(LogForm form, const LogEntry& entry, std::span<char> line) {
  Line out(line);
  if (form == LogForm::kJson) {
    AddJson(&out, entry);
  } else if (form == LogForm::kJournal) {
    out.Add("<3>");
    AddSentence(&out, entry);
  } else {
    AddText(&out, entry);
  }
  out.Add("\n");
  return out.length();
}

std::size_t FormatJournalEntry(const LogEntry& entry, std::size_t* next, std::span<char> datagram) {
  Line out(datagram);
  out.Add("MESSAGE=");
  AddSentence(&out, entry);
  // LOG_DAEMON, as the daemon's.
  out.Add("\nPRIORITY=3\nSYSLOG_IDENTIFIER=vipd\nSYSLOG_FACILITY=3\nVIPD_FROM=master\nVIPD_CAUSE=");
  out.Add(entry.cause);
  out.Add("\n");
  *next = AddNames(&out, entry, *next, kNamesInEntry, "VIPD_INSTANCE=", "", "\n");
  return out.length();
}

}  // namespace vipd
