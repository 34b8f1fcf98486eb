// The version of this build, as `baton --version`, /version and metrics say it.
#pragma once

namespace baton {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace baton
