#include "server/openai/api_handlers.h"

#include <chrono>
#include <utility>

#include "server/openai/call_plan.h"
#include "server/openai/call_table.h"
#include "server/openai/door_metrics.h"
#include "server/openai/generate_handler.h"
#include "server/openai/info_handlers.h"
#include "server/openai/served_names.h"
#include "server/openai/text_threads.h"

namespace baton {
namespace {

constexpr absl::string_view kModelPath = "/v1/models/";

std::int64_t UnixSeconds() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

/// A page that is made from a body, maybe a large one.
class PageJob final : public TextJob {
 public:
  using Page = HttpResponse (InfoHandlers::*)(const std::string& body) const;

  PageJob(const InfoHandlers& info, Page page, std::string body, HttpReply reply)
      : info_(info), page_(page), body_(std::move(body)), reply_(std::move(reply)) {}

  void Work() override { response_ = (info_.*page_)(body_); }
  void Done() override { reply_.Send(std::move(response_)); }

  void Refuse() {
    reply_.Send(
        ErrorResponse({503, "unavailable_error",
                       "too many large requests are being read; try again", "", "queue_full"}));
  }

 private:
  const InfoHandlers& info_;
  const Page page_;
  const std::string body_;
  HttpReply reply_;
  HttpResponse response_;
};

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
        deliver_([this, &server](std::uint64_t number) {
          server.Post([this, number] { texts_.Finish(number); });
        }),
        generate_({{gateway, tokenizer, names_, plan_options_},
                   gateway,
                   metrics_,
                   calls_,
                   texts_,
                   deliver_}),
        info_({gateway, tokenizer, names_, plan_options_}, UnixSeconds()),
        server_(server),
        texts_(options.text_threads) {
    MountGeneration(server);
    MountInfo(server);
  }

  TextThreads& texts() { return texts_; }

  void EndCalls() {
    server_.Post([this] {
      calls_.FailAll({503, "unavailable_error", "the router is stopping", "", "draining"});
    });
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
      Answer(&InfoHandlers::Tokenize, std::move(request), std::move(reply));
    });
    server.Route("GET", "/tokenizer_info",
                 [this](HttpRequest, HttpReply reply) { reply.Send(info_.TokenizerInfo()); });
    server.Route("POST", "/detokenize", [this](HttpRequest request, HttpReply reply) {
      Answer(&InfoHandlers::Detokenize, std::move(request), std::move(reply));
    });
  }

  void Answer(PageJob::Page page, HttpRequest request, HttpReply reply) {
    const bool small = request.body.size() <= TextThreads::kAtOnceBytes;
    auto work = std::make_unique<PageJob>(info_, page, std::move(request.body), std::move(reply));
    if (small) {
      work->Work();
      return work->Done();
    }
    PageJob& pages = *work;
    std::unique_ptr<TextJob> job = std::move(work);
    if (!texts_.TryRun(job, deliver_)) pages.Refuse();
  }

  const DoorMetrics metrics_;
  const ServedNames names_;
  const PlanOptions plan_options_;
  CallTable calls_;
  const TextThreads::Deliver deliver_;
  GenerateHandler generate_;
  InfoHandlers info_;
  HttpServer& server_;
  TextThreads texts_;  // last: its threads use all of the above
};

ApiHandlers::ApiHandlers(HttpServer& server, Gateway& gateway, const Tokenizer& tokenizer,
                         Metrics& metrics, ApiOptions options)
    : impl_(std::make_unique<Impl>(server, gateway, tokenizer, metrics, std::move(options))) {}

ApiHandlers::~ApiHandlers() = default;

TextThreads& ApiHandlers::texts() { return impl_->texts(); }

void ApiHandlers::EndCalls() { impl_->EndCalls(); }

}  // namespace baton
