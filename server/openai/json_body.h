// A request's body as JSON, within what the door lets one request hold.
//
// Thread: any.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "base/json.h"
#include "server/http/http_error.h"

namespace baton {

/// The values that one body may hold: more than the longest prompt of token ids, and few enough
/// that their tree is made in well under a tenth of a second.
inline constexpr std::size_t kBodyValuesMax = 300'000;

/// Fills `json` with an object. Errors: 400 invalid_json.
std::optional<HttpError> ParseBody(absl::string_view body, JsonValue& json);

}  // namespace baton
