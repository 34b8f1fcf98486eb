#include "server/openai/info_handlers.h"

#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "server/openai/api_call.h"
#include "server/openai/field_reader.h"
#include "server/openai/json_body.h"

namespace baton {
namespace {

HttpResponse JsonResponse(JsonObject body) {
  HttpResponse response;
  response.body = WriteJson(std::move(body));
  return response;
}

/// The model's length as of now; while no worker is there, one that bounds the work all the same.
int LengthOf(const Gateway& gateway) {
  constexpr int kLengthWithoutModel = 131'072;
  const std::optional<ServedModel> model = gateway.model();
  return model ? model->length_tokens_max : kLengthWithoutModel;
}

/// What /tokenize takes, in lengths of the model: it counts what may not fit, within reason.
constexpr int kLengthsMax = 4;

struct TokenizeCall {
  std::vector<TokenId> tokens;
  bool strings = false;
};

std::optional<HttpError> TokenizeMessages(FieldReader& reader, const JsonArray& messages,
                                          const CallContext& context,
                                          std::vector<TokenId>& tokens) {
  const FieldLimits& limits = context.options.limits;
  ApiCall chat;
  chat.fields.prompt_name = "messages";
  ReadTemplateFields(reader, limits, chat);
  if (reader.error().has_value()) return reader.error();
  JsonArray parsed;
  if (auto no = ParseMessages(messages, limits, parsed)) return no;
  chat.chat.messages = std::move(parsed);
  return TokenizeChat(context, chat, tokens);
}

std::optional<HttpError> TokenizePrompt(const std::string& prompt, const EncodeOptions& options,
                                        int tokens_max, const CallContext& context,
                                        std::vector<TokenId>& tokens) {
  if (auto no = CheckTextBytes(prompt.size(), tokens_max, "prompt")) return no;
  absl::StatusOr<std::vector<TokenId>> encoded = context.tokenizer.Encode(prompt, options);
  if (!encoded.ok()) return FieldError("prompt", encoded.status().message());
  tokens = *std::move(encoded);
  return std::nullopt;
}

std::optional<HttpError> ReadTokenize(const JsonObject& body, const CallContext& context,
                                      TokenizeCall& call) {
  FieldReader reader(body, "");
  const std::optional<std::string> prompt = reader.String("prompt");
  const JsonArray* messages = reader.Array("messages");
  EncodeOptions options;
  options.add_special_tokens = reader.Bool("add_special_tokens").value_or(true);
  options.parse_special_tokens = reader.Bool("parse_special_tokens").value_or(true);
  call.strings = reader.Bool("return_token_strs").value_or(false);
  if (reader.error().has_value()) return reader.error();
  if (prompt.has_value() == (messages != nullptr)) {
    return FieldError("prompt", "give either prompt or messages");
  }
  const int tokens_max = kLengthsMax * LengthOf(context.gateway);
  std::optional<HttpError> no =
      messages != nullptr ? TokenizeMessages(reader, *messages, context, call.tokens)
                          : TokenizePrompt(*prompt, options, tokens_max, context, call.tokens);
  if (no.has_value() || call.tokens.size() <= static_cast<std::size_t>(tokens_max)) return no;
  return FieldError(messages != nullptr ? "messages" : "prompt",
                    absl::StrFormat("it has %d tokens, and /tokenize takes %d: %d times the "
                                    "model's length. Cut it into pieces.",
                                    call.tokens.size(), tokens_max, kLengthsMax),
                    "context_length_exceeded");
}

// As text and not as a tree: it may be hundreds of thousands of numbers.
std::string TokensAnswer(const TokenizeCall& call, const std::optional<ServedModel>& model,
                         const Tokenizer& tokenizer) {
  std::string json = absl::StrCat("{\"count\":", call.tokens.size(), ",\"max_model_len\":");
  absl::StrAppend(&json, model ? absl::StrCat(model->length_tokens_max) : "null", ",\"tokens\":[");
  for (std::size_t i = 0; i < call.tokens.size(); ++i) {
    absl::StrAppend(&json, i > 0 ? "," : "", call.tokens[i]);
  }
  json += "],\"token_strs\":";
  if (!call.strings) return json + "null}";
  json += '[';
  for (std::size_t i = 0; i < call.tokens.size(); ++i) {
    if (i > 0) json += ',';
    AppendJsonString(TokenName(tokenizer.BytesOf(call.tokens[i])), json);
  }
  return json + "]}";
}

std::optional<HttpError> ReadTokens(const JsonObject& body, std::int64_t ids,
                                    std::vector<TokenId>& tokens) {
  FieldReader reader(body, "");
  const JsonArray* list = reader.Array("tokens");
  if (reader.error().has_value()) return reader.error();
  if (list == nullptr) return FieldError("tokens", "tokens is required");
  for (std::size_t i = 0; i < list->size(); ++i) {
    std::int64_t id = 0;
    const bool whole = (*list)[i].AsInt(&id);
    if (!whole || id < 0 || id >= ids) {
      return FieldError(absl::StrCat("tokens[", i, "]"), "it must be an id of the vocabulary");
    }
    tokens.push_back(static_cast<TokenId>(id));
  }
  return std::nullopt;
}

}  // namespace

JsonObject InfoHandlers::ModelJson(const std::string& name, const ServedModel& model) const {
  return MakeJson({{"id", name},
                   {"object", "model"},
                   {"created", started_},
                   {"owned_by", "baton"},
                   {"root", model.name},
                   {"parent", nullptr},
                   {"max_model_len", model.length_tokens_max}});
}

HttpResponse InfoHandlers::Models() const {
  JsonArray data;
  if (const std::optional<ServedModel> model = gateway_.model()) {
    for (const std::string& name : names_.All(*model)) data.push_back(ModelJson(name, *model));
  }
  return JsonResponse(MakeJson({{"object", "list"}, {"data", std::move(data)}}));
}

HttpResponse InfoHandlers::Model(const std::string& name) const {
  ServedModel model;
  std::string wanted = name;
  if (const auto no = names_.Resolve(gateway_, wanted, model)) return ErrorResponse(*no);
  return JsonResponse(ModelJson(wanted, model));
}

HttpResponse InfoHandlers::Tokenize(const std::string& body) const {
  JsonValue json;
  TokenizeCall call;
  if (const auto no = ParseBody(body, json)) return ErrorResponse(*no);
  if (const auto no = ReadTokenize(*json.AsObject(), context_, call)) return ErrorResponse(*no);
  HttpResponse response;
  response.body = TokensAnswer(call, gateway_.model(), tokenizer_);
  return response;
}

HttpResponse InfoHandlers::TokenizerInfo() const {
  if (!tokenizer_.has_text()) {
    return ErrorResponse(FieldError("", "this model is served by token ids only"));
  }
  JsonObject info;
  const absl::StatusOr<JsonValue> config = ParseJson(tokenizer_.config_json());
  BATON_CHECK(config.ok() && config->AsObject() != nullptr);  // the tokenizer has read it
  for (const auto& [key, value] : config->AsObject()->members()) {
    // An added token may be written with its flags; clients want its text.
    const JsonObject* token = absl::EndsWith(key, "_token") ? value.AsObject() : nullptr;
    const JsonValue* content = token == nullptr ? nullptr : token->Find("content");
    info.Insert(key, content == nullptr ? value : *content);
  }
  return JsonResponse(std::move(info));
}

HttpResponse InfoHandlers::Detokenize(const std::string& body) const {
  JsonValue json;
  if (const auto no = ParseBody(body, json)) return ErrorResponse(*no);
  if (!tokenizer_.has_text()) {
    return ErrorResponse(FieldError("tokens", "this model is served by token ids only"));
  }
  const std::optional<ServedModel> model = gateway_.model();
  const std::int64_t ids =
      model ? model->vocab_size : std::int64_t{std::numeric_limits<TokenId>::max()};
  std::vector<TokenId> tokens;
  if (const auto no = ReadTokens(*json.AsObject(), ids, tokens)) return ErrorResponse(*no);
  Detokenizer detokenizer;
  std::string text;
  for (const TokenId token : tokens) detokenizer.Append(tokenizer_.BytesOf(token), text);
  detokenizer.Flush(text);
  return JsonResponse(MakeJson({{"prompt", std::move(text)}}));
}

}  // namespace baton
