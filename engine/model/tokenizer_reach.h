// How many ids of a vocabulary have text: a padded vocabulary ends in ids that no tokenizer knows,
// and sampling must never choose one. Reads ids alone; text is the server's business.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

/// One past the largest id in `tokenizer_json` (its vocabulary and its added tokens), at most
/// `vocab_size`.
/// Errors: InvalidArgument when it is no tokenizer.json.
absl::StatusOr<int> IdsWithText(absl::string_view tokenizer_json, int vocab_size);

}  // namespace baton
