#include "warden/log_line.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace vipd {

namespace {

constexpr long kNanosecondsPerMillisecond = 1'000'000;

int Text(const char* what, std::span<char> line) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  return snprintf(line.data(), line.size(), "%04d-%02d-%02d %02d:%02d:%02d.%03ld error %s\n",
                  local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour,
                  local.tm_min, local.tm_sec, now.tv_nsec / kNanosecondsPerMillisecond, what);
}

int Json(const char* what, std::span<char> line) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  return snprintf(line.data(), line.size(),
                  R"({"level":"error","time":"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ","pid":%d,)"
                  R"("msg":"%s"})"
                  "\n",
                  utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                  utc.tm_sec, now.tv_nsec / kNanosecondsPerMillisecond, getpid(), what);
}

}  // namespace

LogForm LogFormFrom(std::string_view name) {
  if (name == "json") return LogForm::kJson;
  return name == "journal" ? LogForm::kJournal : LogForm::kText;
}

void PrepareLogLines() { tzset(); }

std::size_t FormatLogLine(LogForm form, const char* what, std::span<char> line) {
  int length = 0;
  switch (form) {
    case LogForm::kText:
      length = Text(what, line);
      break;
    case LogForm::kJournal:
      length = snprintf(line.data(), line.size(), "<3>%s\n", what);
      break;
    case LogForm::kJson:
      length = Json(what, line);
      break;
  }
  return std::min(static_cast<std::size_t>(std::max(length, 0)), line.size() - 1);
}

}  // namespace vipd
