// The OpenAI-shaped API of a router: requests in over HTTP, streams of tokens out. A role's shell
// puts it together so:
//
//   Metrics metrics({{"model_name", name}, {"engine", "0"}});
//   auto tokenizer = *MakeTokenizer(config.model);
//   auto server = HttpServer::Listen({host, port, {}, CountAnswers(metrics)}).value();
//   MountHealth(*server, health_callbacks);                      // server/admin/health_routes.h
//   auto chat = *ChatFormat::Load(config.model, config.server);    // options.chat = &chat
//   ApiHandlers api(*server, gateway, *tokenizer, metrics, options);
//   server->Start();
//   ...
//   server->Stop();         // 1. no handler runs any more
//   route_thread.Stop();    // 2. no observer is called any more
//                           // 3. now they may die: api first, then server and gateway
//
// Thread: constructed before Start; afterwards everything runs on the HTTP thread, but for the
// reading of large bodies (TextThreads). Observers are called on the route thread and hand over.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "server/gateway.h"
#include "server/http/http_server.h"
#include "server/text/tokenizer.h"

namespace baton {

class ChatFormat;
class TextThreads;

struct ApiOptions {
  /// Names that clients may say; empty: the model's own. The first is the one answers carry.
  std::vector<std::string> served_names;

  /// How the model's conversations are written; outlives what is built with these options.
  const ChatFormat* chat = nullptr;

  /// Keys the derivation of cache salts. Empty: random per start, so that salts of two routers
  /// differ (safe: less sharing).
  std::string cluster_secret;

  Duration request_time_max = std::chrono::seconds(600);
  Duration waiting_comment_period = std::chrono::seconds(10);
  int text_threads = 2;  // for large bodies: see text_threads.h
  int calls_max = 4096;  // HTTP calls being answered at once; beyond: 503 queue_full
};

class ApiHandlers {
 public:
  ApiHandlers(HttpServer& server, Gateway& gateway, const Tokenizer& tokenizer, Metrics& metrics,
              ApiOptions options);
  ~ApiHandlers();

  /// For other doors too: large inputs of all of them wait in one queue. Thread: any.
  TextThreads& texts();

  /// Ends every answer under way with 503 `draining`, soon: the role cannot wait any longer.
  /// Thread: any, while the server runs.
  void EndCalls();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton
