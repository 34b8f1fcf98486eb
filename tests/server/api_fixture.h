// A router's API on a real port with a scripted gateway behind it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/metrics.h"
#include "server/http/http_metrics.h"
#include "server/http/http_server.h"
#include "server/openai/api_handlers.h"
#include "server/text/chat_format.h"
#include "tests/server/http_test_client.h"
#include "tests/server/scripted_gateway.h"

namespace baton::testing {

inline constexpr const char* kChat = "/v1/chat/completions";
inline constexpr const char* kCompletions = "/v1/completions";

class ApiFixture : public ::testing::Test {
 protected:
  void Start(ScriptedGateway::Script script, ApiOptions options = {},
             const std::string& model_path = "builtin:recall");
  void TearDown() override;

  /// POSTs on a connection of its own.
  TestAnswer Post(const std::string& path, const std::string& body);
  TestAnswer Get(const std::string& path);
  int port() const { return server_->port(); }

  ScriptedGateway gateway_;
  Metrics metrics_{{{"model_name", "recall"}, {"engine", "0"}}};
  std::unique_ptr<Tokenizer> tokenizer_;
  ServerConfig chat_config_;  // parsers of tool calls and thoughts: set before Start
  std::optional<ChatFormat> chat_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<ApiHandlers> api_;
};

/// The `data:` payloads of a stream, in order.
std::vector<std::string> EventsOf(const std::string& body);

/// The value at a path such as "choices.0.delta.content"; a null value where there is none.
JsonValue At(const JsonValue& root, const std::string& path);
JsonValue At(const std::string& json, const std::string& path);

/// The same as JSON text.
std::string TextAt(const std::string& json, const std::string& path);

}  // namespace baton::testing
