// Numbers and booleans as we read them, whatever their origin: what all YAML readers read alike,
// and nothing that two of them read differently (`017` is 15 to one and 17 to the next, so it is
// neither).
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace baton {

/// true/false, yes/no, on/off in any case; `1` and `0` only where `digits` says so (the
/// environment, where they are the custom).
std::optional<bool> ParseBoolean(absl::string_view text, bool digits);

/// A finite number or, as `.inf`, infinity: `12`, `1_000`, `1e9`, `0.5`, `-3`. No leading zero, no
/// other base, no NaN.
std::optional<double> ParseNumber(absl::string_view text);

/// A whole number in any form that ParseNumber takes: `1e9` and `5.0` are integers. Beyond 2^53
/// only plain digits are exact, and only they are taken.
std::optional<std::int64_t> ParseInteger(absl::string_view text);

/// Bytes: an integer, or a number with B, KiB, MiB, GiB, TiB (1024) or KB, MB, GB, TB (1000).
std::optional<std::int64_t> ParseBytes(absl::string_view text);

/// True for a number with a leading zero such as `017`, so that a message can say why it is
/// refused.
bool LooksOctal(absl::string_view text);

}  // namespace baton
