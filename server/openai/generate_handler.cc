#include "server/openai/generate_handler.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/openai/field_reader.h"
#include "server/openai/random_bits.h"
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

}  // namespace

std::string RequestIdOf(const HttpRequest& request) {
  const absl::string_view given = request.Header("x-request-id");
  if (IsEchoable(given)) return std::string(given);
  return RequestId{RandomBits(), RandomBits()}.ToString();
}

void GenerateHandler::Handle(bool chat, HttpRequest request, HttpReply reply) {
  AnswerIdentity identity;
  identity.request_id = RequestIdOf(request);
  ApiCall call;
  call.style.chat = chat;
  GenerationPlan plan;
  std::optional<HttpError> refusal = Prepare(request.body, call, identity.prompts, plan);
  if (refusal.has_value()) {
    HttpResponse response = ErrorResponse(*refusal);
    response.headers.push_back({"x-request-id", identity.request_id});
    return reply.Send(std::move(response));
  }
  if (!call.style.return_token_ids) identity.prompts.clear();
  identity.id = absl::StrCat(chat ? "chatcmpl-" : "cmpl-", plan.requests[0].id.ToString());
  identity.created = UnixSeconds();
  identity.model = call.model;
  Start(call, std::move(identity), std::move(plan), request.read_at, std::move(reply));
}

std::optional<HttpError> GenerateHandler::Prepare(const std::string& body, ApiCall& call,
                                                  std::vector<std::vector<TokenId>>& prompts,
                                                  GenerationPlan& plan) const {
  const absl::StatusOr<JsonValue> json = ParseJson(body);
  if (!json.ok()) {
    return HttpError{400, "invalid_request_error", std::string(json.status().message()), "",
                     "invalid_json"};
  }
  const JsonObject* object = json->AsObject();
  if (object == nullptr) return FieldError("", "the body must be a JSON object", "invalid_json");
  const FieldLimits& limits = context_.call.options.limits;
  std::optional<HttpError> refusal = call.style.chat ? ParseChatCall(*object, limits, call)
                                                     : ParseCompletionCall(*object, limits, call);
  if (refusal.has_value()) return refusal;
  call.style.logprobs = call.fields.logprobs.has_value();
  if (context_.calls.full()) {
    return HttpError{503, "unavailable_error", "too many calls are being answered; try again", "",
                     "queue_full"};
  }
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
