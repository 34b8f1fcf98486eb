// What Baton thinks of each key that is set: refused, warned about, ignored, or without effect yet.
// Never in silence.
#pragma once

#include "config/settings.h"

namespace baton {

/// Errors for refused keys; then warnings, one line naming all ignored keys, and one naming all
/// that have no effect yet and are not at their defaults.
void ReportVerdicts(const Settings& settings, Findings& findings);

}  // namespace baton
