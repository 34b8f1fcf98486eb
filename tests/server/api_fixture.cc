#include "tests/server/api_fixture.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace baton::testing {

void ApiFixture::Start(ScriptedGateway::Script script, ApiOptions options,
                       const std::string& model_path) {
  gateway_.SetScript(std::move(script));
  ModelConfig model;
  model.path = model_path;
  tokenizer_ = *MakeTokenizer(model);
  chat_ = *ChatFormat::Load(model, chat_config_);
  options.chat = &*chat_;
  HttpServerOptions http;
  http.on_answer = CountAnswers(metrics_);
  server_ = *HttpServer::Listen(std::move(http));
  api_ =
      std::make_unique<ApiHandlers>(*server_, gateway_, *tokenizer_, metrics_, std::move(options));
  server_->Start();
}

void ApiFixture::TearDown() {
  if (server_ == nullptr) return;
  server_->Stop();
  gateway_.RunOnRouteThread([this] { gateway_.live.clear(); });
}

TestAnswer ApiFixture::Post(const std::string& path, const std::string& body) {
  HttpTestClient client(port());
  client.Post(path, body);
  return client.Read();
}

TestAnswer ApiFixture::Get(const std::string& path) {
  HttpTestClient client(port());
  client.Get(path);
  return client.Read();
}

std::vector<std::string> EventsOf(const std::string& body) {
  std::vector<std::string> events;
  for (const absl::string_view event : absl::StrSplit(body, "\n\n", absl::SkipEmpty())) {
    if (absl::StartsWith(event, "data: ")) events.emplace_back(event.substr(6));
  }
  return events;
}

JsonValue At(const JsonValue& root, const std::string& path) {
  const JsonValue* value = &root;
  for (const absl::string_view step : absl::StrSplit(path, '.', absl::SkipEmpty())) {
    std::size_t index = 0;
    if (value->AsArray() != nullptr && absl::SimpleAtoi(step, &index) &&
        index < value->AsArray()->size()) {
      value = &(*value->AsArray())[index];
      continue;
    }
    const JsonObject* object = value->AsObject();
    value = object == nullptr ? nullptr : object->Find(step);
    if (value == nullptr) return {};
  }
  return *value;
}

JsonValue At(const std::string& json, const std::string& path) {
  const absl::StatusOr<JsonValue> root = ParseJson(json);
  if (!root.ok()) {
    ADD_FAILURE() << "not JSON: " << json;
    return {};
  }
  return At(*root, path);
}

std::string TextAt(const std::string& json, const std::string& path) {
  return WriteJson(At(json, path));
}

}  // namespace baton::testing
