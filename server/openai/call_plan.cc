#include "server/openai/call_plan.h"

#include <ctime>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "server/openai/field_reader.h"
#include "server/openai/random_bits.h"

namespace baton {
namespace {

TemplateClock LocalTime() {
  const std::time_t now = std::time(nullptr);
  std::tm time{};
  localtime_r(&now, &time);
  return {time.tm_year + 1900, time.tm_mon + 1, time.tm_mday,
          time.tm_hour,        time.tm_min,     time.tm_sec};
}

std::optional<HttpError> Tokenize(const CallContext& context, int length, ApiCall& call,
                                  std::vector<std::vector<TokenId>>& prompts) {
  const std::string& name = call.fields.prompt_name;
  if (call.style.chat) {
    std::vector<TokenId> tokens;
    if (auto no = TokenizeChat(context, call, tokens)) return no;
    prompts.push_back(std::move(tokens));
    return std::nullopt;
  }
  for (const PromptInput& prompt : call.prompts) {
    if (prompt.is_tokens) {
      prompts.push_back(prompt.tokens);
      continue;
    }
    if (auto no = CheckTextBytes(prompt.text.size(), length, name)) return no;
    absl::StatusOr<std::vector<TokenId>> tokens =
        context.tokenizer.Encode(prompt.text, call.encode);
    if (!tokens.ok()) return FieldError(name, tokens.status().message());
    prompts.push_back(*std::move(tokens));
  }
  return std::nullopt;
}

// A prompt's entries are kept until all of them are there, and a whole answer's until its end; a
// stream writes those of its answer and forgets.
std::optional<HttpError> CheckGathered(const ApiCall& call, const GenerationPlan& plan,
                                       const FieldLimits& limits) {
  std::int64_t of_prompts = 0;
  std::int64_t of_answers = 0;
  for (const Request& request : plan.requests) {
    const auto prompt = static_cast<std::int64_t>(request.prompt.size());
    of_prompts += prompt * (request.sampling.prompt_logprobs + 1);
    if (call.style.stream) continue;
    of_answers += std::int64_t{request.stop.max_tokens} * (request.sampling.logprobs + 1);
  }
  if (of_prompts + of_answers <= limits.gathered_logprobs_max) return std::nullopt;
  const std::string name = of_answers > 0 ? call.fields.logprobs_name : "prompt_logprobs";
  return FieldError(
      name, absl::StrFormat("this could be %d logprobs in one answer, and %d are the most: %s",
                            of_prompts + of_answers, limits.gathered_logprobs_max,
                            of_answers > 0 ? "stream it, or ask for fewer tokens or alternatives"
                                           : "shorten the prompt, or ask for fewer alternatives"));
}

}  // namespace

std::optional<HttpError> CheckTextBytes(std::size_t bytes, int tokens_max,
                                        const std::string& name) {
  if (bytes <= kTokenBytesMax * static_cast<std::size_t>(tokens_max)) return std::nullopt;
  return FieldError(
      name,
      absl::StrFormat("%d bytes of text cannot fit into %d tokens. Shorten it.", bytes, tokens_max),
      "context_length_exceeded");
}

std::optional<HttpError> TokenizeChat(const CallContext& context, ApiCall& call,
                                      std::vector<TokenId>& tokens) {
  const std::string& name = call.fields.prompt_name;
  if (!context.tokenizer.has_text()) {
    return FieldError(name, "this model is served by token ids only: use completions");
  }
  const ChatFormat& format = *context.options.chat;
  call.chat.now = LocalTime();
  const absl::StatusOr<std::vector<TextRun>> runs = format.Render(call.chat);
  if (!runs.ok()) return FieldError(name, runs.status().message());
  absl::StatusOr<std::vector<TokenId>> encoded = context.tokenizer.EncodeRuns(*runs);
  if (!encoded.ok()) return FieldError(name, encoded.status().message());
  tokens = *std::move(encoded);
  ChatAnswerRules& rules = call.style.answer;
  rules.splits_reasoning = format.splits_reasoning();
  rules.opens_in_thought = !runs->empty() && EndsInThought(runs->back().text);
  rules.tools = call.chat.tools.is_null() ? ToolCallMarkup::kNone : format.tool_calls();
  return std::nullopt;
}

std::optional<HttpError> PlanCall(const CallContext& context, ApiCall& call,
                                  std::vector<std::vector<TokenId>>& prompts,
                                  GenerationPlan& plan) {
  ServedModel model;
  if (auto no = context.names.Resolve(context.gateway, call.model, model)) return no;
  if (!call.fields.stop.empty() && !context.tokenizer.has_text()) {
    return FieldError("stop", "this model is served by token ids only: use stop_token_ids");
  }
  if (auto no = Tokenize(context, model.length_tokens_max, call, prompts)) return no;
  if (auto no = MakePlan(call.fields, prompts, model, context.options, plan)) return no;
  TokenRules rules;
  if (auto no = PlanLogitFields(call.fields.logits, model, context.tokenizer, rules)) return no;
  for (Request& request : plan.requests) {
    request.sampling.rules = rules;
    // The choices of a chat have one prompt, which the answer speaks of once.
    if (call.style.chat && request.sampling.choice > 0) request.sampling.prompt_logprobs = -1;
  }
  return CheckGathered(call, plan, context.options.limits);
}

PlanOptions PlanOptionsOf(const ApiOptions& options) {
  PlanOptions plan;
  plan.cluster_secret = options.cluster_secret;
  BATON_CHECK(options.chat != nullptr);
  plan.chat = options.chat;
  if (plan.cluster_secret.empty()) {
    plan.cluster_secret = RequestId{RandomBits(), RandomBits()}.ToString();
  }
  plan.time_left = options.request_time_max;
  plan.random = RandomBits;
  return plan;
}

}  // namespace baton
