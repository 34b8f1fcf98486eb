// The civil time that `strftime_now` prints: a value, so that rendering is a function.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

struct TemplateClock {
  int year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// Python's datetime.strftime in the C locale, without a time zone.
/// Errors: InvalidArgument for a directive that is not one of its.
absl::StatusOr<std::string> FormatClock(const TemplateClock& clock, absl::string_view format);

}  // namespace baton
