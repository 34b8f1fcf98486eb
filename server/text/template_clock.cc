#include "server/text/template_clock.h"

#include <ctime>

#include "absl/strings/str_format.h"

namespace baton {
namespace {

constexpr absl::string_view kDirectives = "aAbBcdHIjmMpSuUVwWxXyYGDeFhRTnt";

// Days since 0000-03-01 of the proleptic Gregorian calendar.
// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
long DaysOf(int year, int month, int day) {
  const long y = year - (month <= 2 ? 1 : 0);
  const long shifted = (month + 9) % 12;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + day - 1;
}

std::tm BrokenDown(const TemplateClock& clock) {
  std::tm time{};
  time.tm_year = clock.year - 1900;
  time.tm_mon = clock.month - 1;
  time.tm_mday = clock.day;
  time.tm_hour = clock.hour;
  time.tm_min = clock.minute;
  time.tm_sec = clock.second;
  const long days = DaysOf(clock.year, clock.month, clock.day);
  time.tm_wday = static_cast<int>((days + 3) % 7);  // 0000-03-01 was a Wednesday
  time.tm_yday = static_cast<int>(days - DaysOf(clock.year, 1, 1));
  return time;
}

}  // namespace

absl::StatusOr<std::string> FormatClock(const TemplateClock& clock, absl::string_view format) {
  const std::tm time = BrokenDown(clock);
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    std::string directive = "%";
    const bool unpadded = i + 2 < format.size() && format[i + 1] == '-';
    if (unpadded) directive += format[++i];
    const char letter = i + 1 < format.size() ? format[++i] : ' ';
    if (letter == '%' && !unpadded) {
      out += '%';
    } else if (letter == 'f' && !unpadded) {
      out += "000000";
    } else if ((letter == 'z' || letter == 'Z') && !unpadded) {
      continue;  // a time without a zone prints none
    } else if (kDirectives.find(letter) != absl::string_view::npos) {
      directive += letter;
      char buffer[64];
      out.append(buffer, std::strftime(buffer, sizeof(buffer), directive.c_str(), &time));
    } else {
      return absl::InvalidArgumentError("strftime_now: a directive that is not supported");
    }
  }
  return out;
}

}  // namespace baton
