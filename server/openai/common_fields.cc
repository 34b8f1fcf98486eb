#include "server/openai/common_fields.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

enum class Neutral { kZero, kFalse, kEmpty, kNone };

/// A field that is known and not honoured, and the value that asks for nothing.
struct Unsupported {
  const char* name;
  Neutral neutral;
  const char* advice;
};

constexpr std::array kUnsupported = {
    Unsupported{"truncate_prompt_tokens", Neutral::kNone, "shorten the prompt"},
    Unsupported{"structured_outputs", Neutral::kEmpty, "leave it out"},
    Unsupported{"guided_json", Neutral::kNone, "leave it out"},
    Unsupported{"guided_regex", Neutral::kNone, "leave it out"},
    Unsupported{"guided_choice", Neutral::kEmpty, "leave it out"},
    Unsupported{"guided_grammar", Neutral::kNone, "leave it out"},
    Unsupported{"use_beam_search", Neutral::kFalse, "leave it out"},
    Unsupported{"priority", Neutral::kZero, "leave it at 0"},
    Unsupported{"functions", Neutral::kEmpty, "leave it out"},
    Unsupported{"function_call", Neutral::kNone, "leave it out"},
    Unsupported{"audio", Neutral::kNone, "only text is served"},
    Unsupported{"chat_template", Neutral::kNone, "templates in requests are not trusted"},
    Unsupported{"suffix", Neutral::kEmpty, "leave it out"},
};

bool IsNeutral(const JsonValue& value, Neutral neutral) {
  double number = 0;
  switch (neutral) {
    case Neutral::kZero:
      return value.AsDouble(&number) && number == 0;
    case Neutral::kFalse:
      return value.AsBool() != nullptr && !*value.AsBool();
    case Neutral::kEmpty:
      return (value.AsArray() != nullptr && value.AsArray()->empty()) ||
             (value.AsObject() != nullptr && value.AsObject()->size() == 0) ||
             (value.AsString() != nullptr && value.AsString()->empty());
    case Neutral::kNone:
      return false;
  }
  return false;
}

void RefuseShapes(FieldReader& reader) {
  if (const JsonObject* format = reader.Object("response_format")) {
    const JsonValue* type = format->Find("type");
    if (type == nullptr || type->AsString() == nullptr || *type->AsString() != "text") {
      reader.Fail(UnsupportedError("response_format.type", "only {\"type\": \"text\"} is served"));
    }
  }
  if (const JsonValue* choice = reader.Find("tool_choice")) {
    const std::string* word = choice->AsString();
    if (word == nullptr || (*word != "none" && *word != "auto")) {
      reader.Fail(
          UnsupportedError("tool_choice", "a call cannot be demanded yet: say auto or none"));
    }
  }
  if (const JsonArray* modalities = reader.Array("modalities")) {
    for (const JsonValue& modality : *modalities) {
      if (modality.AsString() == nullptr || *modality.AsString() != "text") {
        reader.Fail(UnsupportedError("modalities", "only text is served"));
      }
    }
  }
  const std::optional<std::int64_t> best_of = reader.Int("best_of");
  if (best_of.has_value() && *best_of != reader.Int("n").value_or(1)) {
    reader.Fail(UnsupportedError("best_of", "best_of must equal n"));
  }
}

void ReadStops(FieldReader& reader, GenerationFields& fields) {
  if (const JsonValue* stop = reader.Find("stop")) {
    if (const std::string* text = stop->AsString()) {
      fields.stop.push_back(*text);
    } else if (const JsonArray* list = reader.Array("stop")) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string* item = (*list)[i].AsString();
        if (item == nullptr) {
          reader.Fail(FieldError(absl::StrCat("stop[", i, "]"), "a stop must be a string"));
          return;
        }
        fields.stop.push_back(*item);
      }
    }
  }
  const JsonArray* ids = reader.Array("stop_token_ids");
  for (std::size_t i = 0; ids != nullptr && i < ids->size(); ++i) {
    std::int64_t id = 0;
    if (!(*ids)[i].AsInt(&id)) {
      reader.Fail(FieldError(absl::StrCat("stop_token_ids[", i, "]"), "it must be a token id"));
      return;
    }
    fields.stop_token_ids.push_back(id);
  }
}

void ReadStreamOptions(FieldReader& reader, AnswerStyle& style) {
  style.stream = reader.Bool("stream").value_or(false);
  style.return_token_ids = reader.Bool("return_token_ids").value_or(false);
  style.token_ids_as_names = reader.Bool("return_tokens_as_token_ids").value_or(false);
  style.handoff_budget = reader.Bool("return_handoff_budget").value_or(false);
  // The budget is part of the usage: who asks for it wants that chunk.
  style.include_usage = style.stream && style.handoff_budget;
  const JsonObject* options = reader.Object("stream_options");
  if (options == nullptr) return;
  if (!style.stream) {
    reader.Fail(FieldError("stream_options", "stream_options needs stream: true"));
    return;
  }
  FieldReader inner(*options, "stream_options.");
  style.include_usage |= inner.Bool("include_usage").value_or(false);
  style.continuous_usage = inner.Bool("continuous_usage_stats").value_or(false);
  if (inner.error().has_value()) reader.Fail(*inner.error());
}

}  // namespace

void ReadCommonFields(FieldReader& reader, ApiCall& call) {
  GenerationFields& fields = call.fields;
  call.model = reader.String("model").value_or("");
  fields.temperature = reader.Number("temperature");
  fields.top_p = reader.Number("top_p");
  fields.min_p = reader.Number("min_p");
  fields.top_k = reader.Int("top_k");
  fields.seed = reader.Bits("seed");
  fields.n = reader.Int("n");
  fields.min_tokens = reader.Int("min_tokens");
  fields.ignore_eos = reader.Bool("ignore_eos").value_or(false);
  fields.include_stop_str_in_output = reader.Bool("include_stop_str_in_output").value_or(false);
  fields.skip_special_tokens = reader.Bool("skip_special_tokens").value_or(true);
  fields.prompt_logprobs = reader.Int("prompt_logprobs");
  fields.echo = reader.Bool("echo").value_or(false);
  fields.cache_salt = reader.String("cache_salt").value_or("");
  call.encode.add_special_tokens = reader.Bool("add_special_tokens").value_or(true);
  call.encode.parse_special_tokens = reader.Bool("parse_special_tokens").value_or(true);
  ReadLogitFields(reader, fields.logits);
  ReadStops(reader, fields);
  ReadStreamOptions(reader, call.style);
}

void RefuseUnsupported(FieldReader& reader) {
  for (const Unsupported& field : kUnsupported) {
    const JsonValue* value = reader.Find(field.name);
    if (value == nullptr || IsNeutral(*value, field.neutral)) continue;
    reader.Fail(UnsupportedError(
        field.name, absl::StrCat(field.name, " is not served by this version: ", field.advice)));
  }
  RefuseShapes(reader);
}

}  // namespace baton
