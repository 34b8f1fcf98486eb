#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace baton {
namespace {

constexpr int kLinesPerSecond = 10;

struct Throttle {
  std::chrono::steady_clock::time_point window_start;
  int lines = 0;
  int suppressed = 0;
};

struct LogState {
  spdlog::logger* logger = spdlog::stderr_logger_mt("baton").get();  // owned by spdlog's registry
  LogLevel level = LogLevel::kInfo;
  bool json = false;
  std::mutex mutex;
  std::map<std::string, Throttle> throttles;
};

LogState& State() {
  static LogState* state = new LogState;  // lives until exit: threads may still log while it ends
  return *state;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string Escaped(absl::string_view text, bool json) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppend(&out, json ? "\\u00" : "\\x", absl::Hex(byte, absl::kZeroPad2));
    } else if (json && (c == '"' || c == '\\')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

/// The number of lines held back before this one, or -1 when this one is held back too.
int PassThrottle(LogState& state, absl::string_view key) {
  const auto now = std::chrono::steady_clock::now();
  std::lock_guard lock(state.mutex);
  Throttle& throttle = state.throttles[std::string(key)];
  if (now - throttle.window_start >= std::chrono::seconds(1)) {
    throttle.window_start = now;
    throttle.lines = 0;
  }
  if (throttle.lines >= kLinesPerSecond) {
    ++throttle.suppressed;
    return -1;
  }
  ++throttle.lines;
  return std::exchange(throttle.suppressed, 0);
}

}  // namespace

void StartLog(LogLevel level, LogFormat format, absl::string_view role, absl::string_view worker) {
  LogState& state = State();
  state.level = level;
  state.json = format == LogFormat::kJson;
  state.logger->set_level(ToSpdlog(level));
  // An operator's text in a pattern of spdlog's: its per cent signs are no fields.
  const std::string name = absl::StrReplaceAll(Escaped(worker, state.json), {{"%", "%%"}});
  const std::string who = absl::StrCat(role, name.empty() ? "" : " ", name);
  state.logger->set_pattern(
      state.json ? absl::StrCat(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","role":")", role,
                                R"(","worker":")", name, R"(","message":"%v"})")
                 : absl::StrCat("%Y-%m-%dT%H:%M:%S.%e %l ", who, ": %v"));
  state.logger->flush_on(spdlog::level::debug);
}

bool LogEnabled(LogLevel level) { return level >= State().level; }

void LogLine(LogLevel level, absl::string_view key, absl::string_view message) {
  LogState& state = State();
  if (level < state.level) return;
  const int suppressed = PassThrottle(state, key);
  if (suppressed < 0) return;
  std::string line = Escaped(message, state.json);
  if (suppressed > 0) absl::StrAppend(&line, " (suppressed ", suppressed, ")");
  state.logger->log(ToSpdlog(level), line);
}

}  // namespace baton
