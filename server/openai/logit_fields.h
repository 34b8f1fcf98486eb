// What a client says about single tokens and about repeating itself: biases, allowed ids, bad
// words, penalties. Read as said, checked against the model once, then TokenRules.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/sampling.h"
#include "server/gateway.h"
#include "server/http/http_error.h"
#include "server/openai/field_reader.h"
#include "server/text/tokenizer.h"

namespace baton {

inline constexpr std::size_t kLogitBiasesMax = 300;
inline constexpr std::size_t kBadWordsMax = 300;
inline constexpr std::size_t kBadWordBytesMax = 256;

struct LogitFields {
  std::optional<double> repetition_penalty;
  std::optional<double> frequency_penalty;
  std::optional<double> presence_penalty;
  std::vector<std::pair<std::int64_t, double>> logit_bias;
  std::vector<std::int64_t> allowed_token_ids;
  std::vector<std::string> bad_words;
};

/// Fills `fields` from a request's JSON; what is wrong stays in `reader`.
void ReadLogitFields(FieldReader& reader, LogitFields& fields);

/// Checks `fields` against the model and fills `rules`. `tokenizer` cuts the bad words,
/// each as it stands alone and as it follows a space.
/// Errors: 400 with the field's name: out of range, too many, an id outside the vocabulary, bad
/// words for a model without text.
std::optional<HttpError> PlanLogitFields(const LogitFields& fields, const ServedModel& model,
                                         const Tokenizer& tokenizer, TokenRules& rules);

}  // namespace baton
