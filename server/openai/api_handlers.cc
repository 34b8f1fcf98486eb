#include "server/openai/api_handlers.h"

#include <chrono>
#include <utility>

#include "server/openai/call_plan.h"
#include "server/openai/call_table.h"
#include "server/openai/door_metrics.h"
#include "server/openai/generate_handler.h"
#include "server/openai/info_handlers.h"
#include "server/openai/served_names.h"

namespace baton {
namespace {

constexpr absl::string_view kModelPath = "/v1/models/";

std::int64_t UnixSeconds() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

}  // namespace

class ApiHandlers::Impl {
 public:
  Impl(HttpServer& server, Gateway& gateway, const Tokenizer& tokenizer, Metrics& metrics,
       ApiOptions options)
      : metrics_(metrics),
        names_(options.served_names),
        plan_options_(PlanOptionsOf(options)),
        calls_(server, metrics_, options.waiting_comment_period,
               static_cast<std::size_t>(options.calls_max)),
        generate_({{gateway, tokenizer, names_, plan_options_}, gateway, metrics_, calls_}),
        info_({gateway, tokenizer, names_, plan_options_}, UnixSeconds()) {
    MountGeneration(server);
    MountInfo(server);
  }

 private:
  void MountGeneration(HttpServer& server) {
    server.Route("POST", "/v1/chat/completions", [this](HttpRequest request, HttpReply reply) {
      generate_.Handle(true, std::move(request), std::move(reply));
    });
    server.Route("POST", "/v1/completions", [this](HttpRequest request, HttpReply reply) {
      generate_.Handle(false, std::move(request), std::move(reply));
    });
  }

  void MountInfo(HttpServer& server) {
    server.Route("GET", "/v1/models",
                 [this](HttpRequest, HttpReply reply) { reply.Send(info_.Models()); });
    server.Route("GET", "/v1/models/*", [this](HttpRequest request, HttpReply reply) {
      reply.Send(info_.Model(request.path.substr(kModelPath.size())));
    });
    server.Route("POST", "/tokenize", [this](HttpRequest request, HttpReply reply) {
      reply.Send(info_.Tokenize(request.body));
    });
    server.Route("GET", "/tokenizer_info",
                 [this](HttpRequest, HttpReply reply) { reply.Send(info_.TokenizerInfo()); });
    server.Route("POST", "/detokenize", [this](HttpRequest request, HttpReply reply) {
      reply.Send(info_.Detokenize(request.body));
    });
  }

  const DoorMetrics metrics_;
  const ServedNames names_;
  const PlanOptions plan_options_;
  CallTable calls_;
  GenerateHandler generate_;
  InfoHandlers info_;
};

ApiHandlers::ApiHandlers(HttpServer& server, Gateway& gateway, const Tokenizer& tokenizer,
                         Metrics& metrics, ApiOptions options)
    : impl_(std::make_unique<Impl>(server, gateway, tokenizer, metrics, std::move(options))) {}

ApiHandlers::~ApiHandlers() = default;

}  // namespace baton
