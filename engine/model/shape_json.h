// Reads from config.json what every family says alike: sizes, rotary scaling, special tokens.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/json.h"
#include "engine/model/json_fields.h"
#include "engine/model/model_shape.h"

namespace baton {

// Far above every released model, low enough that products of two stay within int64.
inline constexpr int kDimMax = 1 << 20;
inline constexpr int kLayersMax = 4096;
inline constexpr int kPositionsMax = 1 << 24;
inline constexpr double kRealMax = 1e9;

/// Unimplemented: "config.json: <what>, which this version does not run".
absl::Status Unsupported(absl::string_view what);

/// Vocabulary, hidden size, layers, heads, positions, norm, stored type. Errors stick to `fields`.
void ReadSizes(JsonFields& fields, ModelShape& shape);

/// Fields that no family reads because none changes a token: training only, spellings of what the
/// class already says, what transformers notes about itself.
void IgnoreHarmless(JsonFields& fields);

/// rope_scaling + rope_theta, or transformers 5's rope_parameters that holds both; `type` or
/// `rope_type` within. Fields of it that nobody reads are added to `unknown`.
/// Errors: as JsonFields; Unimplemented for a kind of scaling that this version does not run.
absl::Status ReadRope(JsonFields& fields, ModelShape& shape, std::vector<std::string>& unknown);

/// bos_token_id, and eos_token_id of both files; `generation` may be null.
absl::Status ReadTokens(JsonFields& fields, const JsonValue* generation, ModelShape& shape);

}  // namespace baton
