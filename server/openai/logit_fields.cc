#include "server/openai/logit_fields.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace baton {
namespace {

using Refusal = std::optional<HttpError>;

void ReadBias(FieldReader& reader, LogitFields& fields) {
  const JsonObject* const object = reader.Object("logit_bias");
  if (object == nullptr) return;
  for (const auto& [name, value] : object->members()) {
    std::int64_t id = 0;
    double bias = 0;
    if (!absl::SimpleAtoi(name, &id) || !value.AsDouble(&bias)) {
      return reader.Fail(FieldError("logit_bias", "logit_bias maps token ids to numbers"));
    }
    fields.logit_bias.emplace_back(id, bias);
  }
}

void ReadAllowed(FieldReader& reader, LogitFields& fields) {
  const JsonArray* const ids = reader.Array("allowed_token_ids");
  for (std::size_t i = 0; ids != nullptr && i < ids->size(); ++i) {
    std::int64_t id = 0;
    if (!(*ids)[i].AsInt(&id)) {
      return reader.Fail(
          FieldError(absl::StrCat("allowed_token_ids[", i, "]"), "it must be a token id"));
    }
    fields.allowed_token_ids.push_back(id);
  }
}

void ReadBadWords(FieldReader& reader, LogitFields& fields) {
  const JsonArray* const words = reader.Array("bad_words");
  for (std::size_t i = 0; words != nullptr && i < words->size(); ++i) {
    const std::string* const word = (*words)[i].AsString();
    if (word == nullptr) {
      return reader.Fail(
          FieldError(absl::StrCat("bad_words[", i, "]"), "a bad word must be a string"));
    }
    fields.bad_words.push_back(*word);
  }
}

/// Narrowed to what the sampler computes in, and within [-bound, bound].
Refusal Penalty(const char* name, const std::optional<double>& value, float bound, float* out) {
  if (!value.has_value()) return std::nullopt;
  *out = static_cast<float>(*value);
  if (std::abs(*out) <= bound) return std::nullopt;
  return FieldError(name, absl::StrFormat("%s must be from %g to %g", name, -bound, bound));
}

Refusal PlanPenalties(const LogitFields& fields, TokenRules& rules) {
  if (fields.repetition_penalty.has_value()) {
    rules.repetition_penalty = static_cast<float>(*fields.repetition_penalty);
    if (!(rules.repetition_penalty > 0 && rules.repetition_penalty <= kRepetitionPenaltyMax)) {
      return FieldError("repetition_penalty",
                        absl::StrFormat("repetition_penalty must be above 0 and at most %g",
                                        kRepetitionPenaltyMax));
    }
  }
  if (Refusal no = Penalty("frequency_penalty", fields.frequency_penalty, kPenaltyMax,
                           &rules.frequency_penalty)) {
    return no;
  }
  return Penalty("presence_penalty", fields.presence_penalty, kPenaltyMax, &rules.presence_penalty);
}

Refusal PlanBias(const LogitFields& fields, const ServedModel& model, TokenRules& rules) {
  if (fields.logit_bias.size() > kLogitBiasesMax) {
    return FieldError("logit_bias",
                      absl::StrFormat("logit_bias takes at most %d ids", kLogitBiasesMax));
  }
  std::set<TokenId> seen;  // "7" and "07" are one id
  for (const auto& [id, value] : fields.logit_bias) {
    if (id < 0 || id >= model.vocab_size) {
      return FieldError("logit_bias", "logit_bias holds an id outside the vocabulary");
    }
    const auto token = static_cast<TokenId>(id);
    const auto bias = static_cast<float>(value);
    if (!(std::abs(bias) <= kLogitBiasMax)) {
      return FieldError("logit_bias", absl::StrFormat("a bias must be from %g to %g",
                                                      -kLogitBiasMax, kLogitBiasMax));
    }
    if (!seen.insert(token).second) {
      return FieldError("logit_bias", "logit_bias names an id twice");
    }
    rules.logit_bias.push_back({token, bias});
  }
  return std::nullopt;
}

Refusal PlanAllowed(const LogitFields& fields, const ServedModel& model, TokenRules& rules) {
  for (const std::int64_t id : fields.allowed_token_ids) {
    if (id < 0 || id >= model.vocab_size) {
      return FieldError("allowed_token_ids",
                        "allowed_token_ids holds an id outside the vocabulary");
    }
    rules.allowed_tokens.push_back(static_cast<TokenId>(id));
  }
  std::vector<TokenId>& allowed = rules.allowed_tokens;
  std::sort(allowed.begin(), allowed.end());
  allowed.erase(std::unique(allowed.begin(), allowed.end()), allowed.end());
  return std::nullopt;
}

Refusal PlanBadWord(const std::string& word, const Tokenizer& tokenizer, TokenRules& rules) {
  const EncodeOptions plain{.add_special_tokens = false, .parse_special_tokens = false};
  const absl::StatusOr<std::vector<TokenId>> alone = tokenizer.Encode(word, plain);
  if (!alone.ok()) return FieldError("bad_words", alone.status().message());
  if (!alone->empty()) rules.bad_words.push_back(*alone);
  const absl::StatusOr<std::vector<TokenId>> spaced =
      tokenizer.Encode(absl::StrCat(" ", word), plain);
  if (!spaced.ok()) return FieldError("bad_words", spaced.status().message());
  // Where a space is a token of its own, what follows it is the word alone.
  const bool another = !spaced->empty() && !alone->empty() && spaced->size() == alone->size() &&
                       spaced->front() != alone->front();
  if (another) rules.bad_words.push_back(*spaced);
  return std::nullopt;
}

}  // namespace

void ReadLogitFields(FieldReader& reader, LogitFields& fields) {
  fields.repetition_penalty = reader.Number("repetition_penalty");
  fields.frequency_penalty = reader.Number("frequency_penalty");
  fields.presence_penalty = reader.Number("presence_penalty");
  ReadBias(reader, fields);
  ReadAllowed(reader, fields);
  ReadBadWords(reader, fields);
}

std::optional<HttpError> PlanLogitFields(const LogitFields& fields, const ServedModel& model,
                                         const Tokenizer& tokenizer, TokenRules& rules) {
  if (Refusal no = PlanPenalties(fields, rules)) return no;
  if (Refusal no = PlanBias(fields, model, rules)) return no;
  if (Refusal no = PlanAllowed(fields, model, rules)) return no;
  if (fields.bad_words.size() > kBadWordsMax) {
    return FieldError("bad_words", absl::StrFormat("at most %d bad words", kBadWordsMax));
  }
  for (const std::string& word : fields.bad_words) {
    if (word.empty() || word.size() > kBadWordBytesMax) {
      return FieldError("bad_words",
                        absl::StrFormat("a bad word has 1 to %d bytes", kBadWordBytesMax));
    }
    if (Refusal no = PlanBadWord(word, tokenizer, rules)) return no;
  }
  return std::nullopt;
}

}  // namespace baton
