#include "server/public_service.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "proto/baton_public.grpc.pb.h"
#include "server/host_port.h"
#include "server/openai/call_plan.h"
#include "server/openai/door_metrics.h"
#include "server/openai/field_reader.h"
#include "server/public_generate_service.h"
#include "server/public_request.h"

namespace baton {
namespace {

constexpr int kMessageBytesMax = 8 * 1024 * 1024;  // as an HTTP body
constexpr int kMetadataBytesMax = 16 * 1024;
constexpr int kStreamsPerConnectionMax = 100;
constexpr int kStreamWindowBytes = 64 * 1024;
constexpr int kConnectionAgeMaxMs = 3600 * 1000;
constexpr auto kStopGrace = std::chrono::seconds(2);

void Limit(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnectionMax);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kConnectionAgeMaxMs);
}

grpc::Status StatusOf(const std::optional<HttpError>& refusal,
                      grpc::CallbackServerContext& context) {
  return refusal.has_value() ? PublicStatus(*refusal, context) : grpc::Status::OK;
}

/// A call whose answer is made from a large request, on a text thread.
class UnaryJob final : public TextJob {
 public:
  using Page = std::function<std::optional<HttpError>()>;

  UnaryJob(grpc::CallbackServerContext& context, grpc::ServerUnaryReactor& reactor, Page page)
      : context_(context), reactor_(reactor), page_(std::move(page)) {}

  void Work() override { refusal_ = page_(); }
  void Done() override { reactor_.Finish(StatusOf(refusal_, context_)); }

 private:
  grpc::CallbackServerContext& context_;
  grpc::ServerUnaryReactor& reactor_;
  const Page page_;
  std::optional<HttpError> refusal_;
};

HttpError TooManyLargeCalls() {
  return {503, "unavailable_error", "too many large requests are being read; try again", "",
          "queue_full"};
}

}  // namespace

class PublicService::Impl final : public v1::Inference::CallbackService {
 public:
  Impl(const Options& options, Gateway& gateway, const Tokenizer& tokenizer, TextThreads& texts,
       Metrics& metrics)
      : gateway_(gateway),
        tokenizer_(tokenizer),
        texts_(texts),
        names_(options.api.served_names),
        plan_options_(PlanOptionsOf(options.api)),
        metrics_(metrics),
        calls_({gateway, tokenizer, names_, plan_options_}, gateway, texts, metrics_,
               static_cast<std::size_t>(options.calls_max)) {}

  ~Impl() override { Stop(); }

  absl::Status Serve(const Options& options) {
    const std::string address = HostPortText(options.host, options.port);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    Limit(builder);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();  // once a process is enough
    // gRPC makes its health service for servers that are built while this switch is on: ours alone.
    grpc::EnableDefaultHealthCheckService(true);
    server_ = builder.BuildAndStart();
    grpc::EnableDefaultHealthCheckService(false);
    if (server_ == nullptr || port_ == 0) {
      return absl::UnavailableError(absl::StrFormat(
          "cannot listen on %s: the port is taken or may not be used (router.public_grpc_port)",
          address));
    }
    server_->GetHealthCheckService()->SetServingStatus("liveness", true);
    ShowReady(false);
    return absl::OkStatus();
  }

  void SetReady(bool ready) {
    if (ready_.exchange(ready) != ready) ShowReady(ready);  // each change wakes every watcher
  }

  void ShowReady(bool ready) {
    if (server_ == nullptr) return;  // stopped
    grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
    health->SetServingStatus("readiness", ready);
    health->SetServingStatus(v1::Inference::service_full_name(), ready);
  }

  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now() + kStopGrace);
    server_->Wait();
    server_ = nullptr;
  }

  int port() const { return port_; }

  grpc::ServerWriteReactor<v1::GenerateEvent>* Generate(
      grpc::CallbackServerContext* context, const v1::GenerateRequest* request) override {
    return calls_.Open(*context, *request);
  }

  grpc::ServerUnaryReactor* Tokenize(grpc::CallbackServerContext* context,
                                     const v1::TokenizeRequest* request,
                                     v1::TokenizeResponse* response) override {
    return Run(*context, request->ByteSizeLong(), [this, request, response] {
      absl::StatusOr<std::vector<TokenId>> tokens = std::vector<TokenId>();
      std::optional<HttpError> refusal;
      if (request->has_chat()) {
        refusal = TokenizePublicChat(request->chat(), *tokens);
      } else {
        const bool special = !request->has_add_special_tokens() || request->add_special_tokens();
        tokens = tokenizer_.Encode(request->text(), {.add_special_tokens = special});
        if (!tokens.ok()) refusal = FieldError("input", tokens.status().message());
      }
      if (!refusal.has_value()) {
        response->mutable_token_ids()->Add(tokens->begin(), tokens->end());
      }
      return refusal;
    });
  }

  grpc::ServerUnaryReactor* Detokenize(grpc::CallbackServerContext* context,
                                       const v1::DetokenizeRequest* request,
                                       v1::DetokenizeResponse* response) override {
    return Run(*context, request->ByteSizeLong(), [this, request, response] {
      std::optional<HttpError> refusal;
      if (!tokenizer_.has_text()) {
        refusal = FieldError("token_ids", "this model is served by token ids only");
        return refusal;
      }
      Detokenizer detokenizer;
      std::string& text = *response->mutable_text();
      for (const TokenId id : request->token_ids()) {
        detokenizer.Append(tokenizer_.BytesOf(id), text);
      }
      detokenizer.Flush(text);
      return refusal;
    });
  }

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListModelsRequest*,
                                       v1::ListModelsResponse* response) override {
    if (const std::optional<ServedModel> model = gateway_.model()) {
      for (const std::string& name : names_.All(*model)) {
        v1::Model& entry = *response->add_models();
        entry.set_id(name);
        entry.set_root(model->name);
        entry.set_length_tokens_max(model->length_tokens_max);
      }
    }
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  // A request and its response stay until their call has finished.
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext& context, std::size_t bytes,
                                UnaryJob::Page page) {
    grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();  // to be asked for once
    if (bytes <= TextThreads::kAtOnceBytes) {
      reactor->Finish(StatusOf(page(), context));
      return reactor;
    }
    std::unique_ptr<TextJob> job = std::make_unique<UnaryJob>(context, *reactor, std::move(page));
    const auto deliver = [this](std::uint64_t number) { texts_.Finish(number); };
    if (!texts_.TryRun(job, deliver)) {
      reactor->Finish(StatusOf(TooManyLargeCalls(), context));
    }
    return reactor;
  }

  std::optional<HttpError> TokenizePublicChat(const v1::Chat& chat,
                                              std::vector<TokenId>& tokens) const {
    ApiCall call;
    call.fields.prompt_name = "chat";
    if (auto no = ParsePublicChat(chat, plan_options_.limits, call.chat)) return no;
    return TokenizeChat({gateway_, tokenizer_, names_, plan_options_}, call, tokens);
  }

  Gateway& gateway_;
  const Tokenizer& tokenizer_;
  TextThreads& texts_;
  const ServedNames names_;
  const PlanOptions plan_options_;
  const DoorMetrics metrics_;
  PublicGenerateCalls calls_;
  int port_ = 0;
  std::atomic<bool> ready_{false};
  std::unique_ptr<grpc::Server> server_;
};

PublicService::PublicService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PublicService::~PublicService() = default;

absl::StatusOr<std::unique_ptr<PublicService>> PublicService::Start(const Options& options,
                                                                    Gateway& gateway,
                                                                    const Tokenizer& tokenizer,
                                                                    TextThreads& texts,
                                                                    Metrics& metrics) {
  if (options.host != "127.0.0.1" && options.host != "::1" && options.host != "localhost") {
    BATON_WARN("public grpc listens off loopback without TLS: put a proxy in front of it");
  }
  auto impl = std::make_unique<Impl>(options, gateway, tokenizer, texts, metrics);
  if (absl::Status served = impl->Serve(options); !served.ok()) return served;
  return std::unique_ptr<PublicService>(new PublicService(std::move(impl)));
}

void PublicService::SetReady(bool ready) { impl_->SetReady(ready); }
void PublicService::Stop() { impl_->Stop(); }
int PublicService::port() const { return impl_->port(); }

}  // namespace baton
