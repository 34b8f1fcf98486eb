#include "server/openai/info_handlers.h"

#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "server/openai/api_call.h"
#include "server/openai/field_reader.h"

namespace baton {
namespace {

HttpResponse JsonResponse(JsonObject body) {
  HttpResponse response;
  response.body = WriteJson(std::move(body));
  return response;
}

HttpError BadJson(absl::string_view message) { return FieldError("", message, "invalid_json"); }

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
  if (messages != nullptr) return TokenizeMessages(reader, *messages, context, call.tokens);
  absl::StatusOr<std::vector<TokenId>> tokens = context.tokenizer.Encode(*prompt, options);
  if (!tokens.ok()) return FieldError("prompt", tokens.status().message());
  call.tokens = *std::move(tokens);
  return std::nullopt;
}

std::optional<HttpError> ReadTokens(const JsonObject& body, std::vector<TokenId>& tokens) {
  FieldReader reader(body, "");
  const JsonArray* list = reader.Array("tokens");
  if (reader.error().has_value()) return reader.error();
  if (list == nullptr) return FieldError("tokens", "tokens is required");
  for (std::size_t i = 0; i < list->size(); ++i) {
    std::int64_t id = 0;
    const bool whole = (*list)[i].AsInt(&id);
    if (!whole || id < 0 || id > std::numeric_limits<TokenId>::max()) {
      return FieldError(absl::StrCat("tokens[", i, "]"), "it must be a token id");
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
  const absl::StatusOr<JsonValue> json = ParseJson(body);
  if (!json.ok()) return ErrorResponse(BadJson(json.status().message()));
  if (json->AsObject() == nullptr) return ErrorResponse(BadJson("the body must be an object"));
  TokenizeCall call;
  if (const auto no = ReadTokenize(*json->AsObject(), context_, call)) return ErrorResponse(*no);
  JsonArray tokens;
  JsonArray strings;
  for (const TokenId token : call.tokens) {
    tokens.push_back(token);
    if (call.strings) strings.push_back(TokenName(tokenizer_.BytesOf(token)));
  }
  const std::optional<ServedModel> model = gateway_.model();
  const JsonValue length = model ? JsonValue(model->length_tokens_max) : JsonValue(nullptr);
  return JsonResponse(
      MakeJson({{"count", static_cast<std::int64_t>(call.tokens.size())},
                {"max_model_len", length},
                {"tokens", std::move(tokens)},
                {"token_strs", call.strings ? JsonValue(std::move(strings)) : JsonValue()}}));
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
  const absl::StatusOr<JsonValue> json = ParseJson(body);
  if (!json.ok()) return ErrorResponse(BadJson(json.status().message()));
  if (json->AsObject() == nullptr) return ErrorResponse(BadJson("the body must be an object"));
  if (!tokenizer_.has_text()) {
    return ErrorResponse(FieldError("tokens", "this model is served by token ids only"));
  }
  std::vector<TokenId> tokens;
  if (const auto no = ReadTokens(*json->AsObject(), tokens)) return ErrorResponse(*no);
  Detokenizer detokenizer;
  std::string text;
  for (const TokenId token : tokens) detokenizer.Append(tokenizer_.BytesOf(token), text);
  detokenizer.Flush(text);
  return JsonResponse(MakeJson({{"prompt", std::move(text)}}));
}

}  // namespace baton
