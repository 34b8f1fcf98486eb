#include "server/openai/call_plan.h"

#include <utility>

#include "server/openai/field_reader.h"
#include "server/openai/random_bits.h"

namespace baton {
namespace {

std::optional<HttpError> Tokenize(const CallContext& context, const ApiCall& call,
                                  std::vector<std::vector<TokenId>>& prompts) {
  const std::string& name = call.fields.prompt_name;
  if (call.style.chat) {
    absl::StatusOr<std::vector<TokenId>> tokens = context.tokenizer.EncodeChat(call.messages);
    if (!tokens.ok()) return FieldError(name, tokens.status().message());
    prompts.push_back(*std::move(tokens));
    return std::nullopt;
  }
  for (const PromptInput& prompt : call.prompts) {
    if (prompt.is_tokens) {
      prompts.push_back(prompt.tokens);
      continue;
    }
    absl::StatusOr<std::vector<TokenId>> tokens =
        context.tokenizer.Encode(prompt.text, call.add_special_tokens);
    if (!tokens.ok()) return FieldError(name, tokens.status().message());
    prompts.push_back(*std::move(tokens));
  }
  return std::nullopt;
}

}  // namespace

std::optional<HttpError> PlanCall(const CallContext& context, ApiCall& call,
                                  std::vector<std::vector<TokenId>>& prompts,
                                  GenerationPlan& plan) {
  ServedModel model;
  if (auto no = context.names.Resolve(context.gateway, call.model, model)) return no;
  if (auto no = Tokenize(context, call, prompts)) return no;
  return MakePlan(call.fields, prompts, model, context.options, plan);
}

PlanOptions PlanOptionsOf(const ApiOptions& options) {
  PlanOptions plan;
  plan.cluster_secret = options.cluster_secret;
  if (plan.cluster_secret.empty()) {
    plan.cluster_secret = RequestId{RandomBits(), RandomBits()}.ToString();
  }
  plan.time_left = options.request_time_max;
  plan.random = RandomBits;
  return plan;
}

}  // namespace baton
