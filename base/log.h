// Log lines on stderr, behind spdlog (its one door is base/log.cc).
//
// Lower case, values separated by blanks, ids always: "sequence 17 handoff 3 worker 2". error = a
// lost request or stopping, warn = degraded, info = lifecycle, debug = a line a request. Never a
// line a token; never prompts, outputs, keys or salts. At most 10 lines a second a key; what was
// held back is counted in the key's next line.
//
// Thread: any.
#pragma once

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace baton {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

/// Called once, before the first thread starts. `role` and `worker` stand in every line.
void StartLog(LogLevel level, LogFormat format, absl::string_view role, absl::string_view worker);

bool LogEnabled(LogLevel level);

/// Writes one line. `key` names the call site for the rate limit. Control bytes are escaped.
void LogLine(LogLevel level, absl::string_view key, absl::string_view message);

}  // namespace baton

// The call site is the rate limit's key.
#define BATON_LOG_(level, ...)                                          \
  do {                                                                  \
    if (::baton::LogEnabled(level)) {                                   \
      ::baton::LogLine(level, __FILE__ ":" BATON_LOG_STRING_(__LINE__), \
                       absl::StrFormat(__VA_ARGS__));                   \
    }                                                                   \
  } while (false)
#define BATON_LOG_STRING_(line) BATON_LOG_STRING2_(line)
#define BATON_LOG_STRING2_(line) #line

#define BATON_DEBUG(...) BATON_LOG_(::baton::LogLevel::kDebug, __VA_ARGS__)
#define BATON_INFO(...) BATON_LOG_(::baton::LogLevel::kInfo, __VA_ARGS__)
#define BATON_WARN(...) BATON_LOG_(::baton::LogLevel::kWarn, __VA_ARGS__)
#define BATON_ERROR(...) BATON_LOG_(::baton::LogLevel::kError, __VA_ARGS__)
