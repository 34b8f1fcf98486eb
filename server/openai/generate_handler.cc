#include "server/openai/generate_handler.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/openai/json_body.h"
#include "server/openai/prompt_part.h"
#include "server/openai/random_bits.h"
#include "server/openai/server_timing.h"
#include "server/openai/whole_sink.h"

namespace baton {
namespace {

constexpr std::size_t kRequestIdBytesMax = 128;

bool IsEchoable(absl::string_view id) {
  const auto printable = [](char c) { return c > 0x20 && c < 0x7f; };
  return !id.empty() && id.size() <= kRequestIdBytesMax &&
         std::all_of(id.begin(), id.end(), printable);
}

std::int64_t UnixSeconds() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

HttpError TooManyCalls() {
  return {503, "unavailable_error", "too many calls are being answered; try again", "",
          "queue_full"};
}

}  // namespace

std::string RequestIdOf(const HttpRequest& request) {
  const absl::string_view given = request.Header("x-request-id");
  if (IsEchoable(given)) return std::string(given);
  return RequestId{RandomBits(), RandomBits()}.ToString();
}

/// One call on its way from the body to its start: the large ones on a text thread.
class GenerateHandler::Preparation final : public TextJob {
 public:
  Preparation(GenerateHandler& handler, bool chat, HttpRequest request, HttpReply reply)
      : handler_(handler), request_(std::move(request)), reply_(std::move(reply)) {
    call_.style.chat = chat;
    call_.style.timing_trailer = TakesTrailers(request_.Header("te"));
    identity_.request_id = RequestIdOf(request_);
  }

  void Work() override {
    refusal_ = handler_.Prepare(request_.body, call_, identity_.prompts, plan_);
    std::string().swap(request_.body);
    if (refusal_.has_value() || !call_.style.echo) return;
    const Tokenizer& tokenizer = handler_.context_.call.tokenizer;
    for (std::size_t i = 0; i < call_.prompts.size(); ++i) {
      PromptInput& prompt = call_.prompts[i];
      identity_.echoes.push_back(
          prompt.is_tokens ? EchoOf(identity_.prompts[i], call_.style.echo_skips_special, tokenizer)
                           : std::move(prompt.text));
    }
  }

  void Done() override {
    if (!reply_.open()) return;  // the client left meanwhile
    if (!refusal_.has_value() && handler_.context_.calls.full()) refusal_ = TooManyCalls();
    if (refusal_.has_value()) return Refuse(*refusal_);
    const bool told = call_.style.return_token_ids || call_.style.echo;
    if (!told) identity_.prompts.clear();
    identity_.id =
        absl::StrCat(call_.style.chat ? "chatcmpl-" : "cmpl-", plan_.requests[0].id.ToString());
    identity_.created = UnixSeconds();
    identity_.model = call_.model;
    handler_.Start(call_, std::move(identity_), std::move(plan_), request_.read_at,
                   std::move(reply_));
  }

  void Refuse(const HttpError& error) { reply_.Send(RefusalResponse(error, identity_.request_id)); }

 private:
  GenerateHandler& handler_;
  HttpRequest request_;
  HttpReply reply_;
  AnswerIdentity identity_;
  ApiCall call_;
  GenerationPlan plan_;
  std::optional<HttpError> refusal_;
};

void GenerateHandler::Handle(bool chat, HttpRequest request, HttpReply reply) {
  const bool small = request.body.size() <= TextThreads::kAtOnceBytes;
  auto work = std::make_unique<Preparation>(*this, chat, std::move(request), std::move(reply));
  if (context_.calls.full()) return work->Refuse(TooManyCalls());
  if (small) {
    work->Work();
    return work->Done();
  }
  Preparation& preparation = *work;
  std::unique_ptr<TextJob> job = std::move(work);
  if (!context_.texts.TryRun(job, context_.deliver)) preparation.Refuse(TooManyCalls());
}

std::optional<HttpError> GenerateHandler::Prepare(const std::string& body, ApiCall& call,
                                                  std::vector<std::vector<TokenId>>& prompts,
                                                  GenerationPlan& plan) const {
  JsonValue json;
  if (auto no = ParseBody(body, json)) return no;
  const JsonObject& object = *json.AsObject();
  const FieldLimits& limits = context_.call.options.limits;
  std::optional<HttpError> refusal = call.style.chat ? ParseChatCall(object, limits, call)
                                                     : ParseCompletionCall(object, limits, call);
  if (refusal.has_value()) return refusal;
  call.style.logprobs = call.fields.logprobs.has_value();
  call.style.echo = call.fields.echo;
  call.style.echo_skips_special = call.fields.skip_special_tokens;
  if (call.style.echo)
    call.style.echo_logprobs = static_cast<int>(call.fields.logprobs.value_or(-1));
  call.style.prompt_logprobs = static_cast<int>(call.fields.prompt_logprobs.value_or(-1));
  return PlanCall(context_.call, call, prompts, plan);
}

void GenerateHandler::Start(const ApiCall& call, AnswerIdentity identity, GenerationPlan plan,
                            Instant read_at, HttpReply reply) {
  const std::uint64_t number = context_.calls.NextNumber();
  reply.OnGone([calls = &context_.calls, number] { calls->Abandon(number); });
  const std::size_t choices = plan.requests.size();
  std::unique_ptr<AnswerSink> sink;
  StreamSink* stream = nullptr;
  if (call.style.stream) {
    auto owned = std::make_unique<StreamSink>(std::move(reply), context_.call.tokenizer, call.style,
                                              std::move(identity), choices);
    stream = owned.get();
    sink = std::move(owned);
  } else {
    sink = std::make_unique<WholeSink>(std::move(reply), context_.call.tokenizer, call.style,
                                       std::move(identity), choices);
  }
  auto generation = std::make_unique<Generation>(context_.gateway, context_.call.tokenizer,
                                                 context_.metrics, std::move(sink), read_at);
  context_.calls.Run(number, std::move(generation), stream, std::move(plan));
  context_.metrics.dispatch.Observe(ToSeconds(std::chrono::steady_clock::now() - read_at));
}

}  // namespace baton
