// The last step: canonical values into the fields of a Config.
#pragma once

#include "config/config.h"
#include "config/settings.h"

namespace baton {

/// Writes every setting that has a field. A null leaves the field as Config makes it; a word in a
/// number's place (`auto`) is -1, in a list's the empty list.
void Land(const Settings& settings, Config& config);

}  // namespace baton
