#include "server/openai/generation_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "server/openai/cache_salt.h"
#include "server/openai/field_reader.h"

namespace baton {
namespace {

using Refusal = std::optional<HttpError>;

Refusal CheckRange(const char* name, const std::optional<double>& value, double low, double high) {
  if (!value.has_value()) return std::nullopt;
  if (std::isfinite(*value) && *value >= low && *value <= high) return std::nullopt;
  return FieldError(name, absl::StrFormat("%s must be from %g to %g", name, low, high));
}

Refusal CheckCount(const std::string& name, const std::optional<std::int64_t>& value,
                   std::int64_t low, std::int64_t high) {
  if (!value.has_value() || (*value >= low && *value <= high)) return std::nullopt;
  return FieldError(name, absl::StrFormat("%s must be from %d to %d", name, low, high));
}

Refusal CheckStops(const GenerationFields& fields, const FieldLimits& limits) {
  if (fields.stop.size() > static_cast<std::size_t>(limits.stops_max)) {
    return FieldError("stop", absl::StrFormat("stop takes at most %d strings", limits.stops_max));
  }
  for (const std::string& stop : fields.stop) {
    if (stop.empty()) return FieldError("stop", "a stop string must not be empty");
    if (stop.size() > static_cast<std::size_t>(limits.stop_bytes_max)) {
      return FieldError(
          "stop", absl::StrFormat("a stop string has at most %d bytes", limits.stop_bytes_max));
    }
  }
  if (fields.stop_token_ids.size() > static_cast<std::size_t>(limits.stop_tokens_max)) {
    return FieldError("stop_token_ids", absl::StrFormat("stop_token_ids takes at most %d ids",
                                                        limits.stop_tokens_max));
  }
  return std::nullopt;
}

Refusal CheckSampling(const GenerationFields& fields, const FieldLimits& limits) {
  if (Refusal no = CheckRange("temperature", fields.temperature, 0, 2)) return no;
  if (Refusal no = CheckRange("top_p", fields.top_p, 0, 1)) return no;
  // Narrowed, as workers will see it. The bounds of the ranges are floats: those survive narrowing.
  if (fields.top_p.has_value() && static_cast<float>(*fields.top_p) <= 0) {
    return FieldError("top_p", "top_p must be above 0");
  }
  if (Refusal no = CheckRange("min_p", fields.min_p, 0, 1)) return no;
  if (Refusal no = CheckCount("top_k", fields.top_k, -1, 1 << 30)) return no;
  if (Refusal no = CheckCount("n", fields.n, 1, limits.choices_max)) return no;
  if (Refusal no = CheckCount(fields.logprobs_name, fields.logprobs, 0, limits.logprobs_max))
    return no;
  return CheckCount("prompt_logprobs", fields.prompt_logprobs, 0, limits.logprobs_max);
}

Refusal CheckAgainstModel(const GenerationFields& fields, const ServedModel& model) {
  const int length = model.length_tokens_max;
  const int least = fields.echo ? 0 : 1;
  if (Refusal no = CheckCount(fields.max_tokens_name, fields.max_tokens, least, length)) return no;
  const std::int64_t answer_max = fields.max_tokens.value_or(length);
  if (Refusal no = CheckCount("min_tokens", fields.min_tokens, 0, answer_max)) return no;
  for (const std::int64_t token : fields.stop_token_ids) {
    if (token < 0 || token >= model.vocab_size) {
      return FieldError("stop_token_ids", "stop_token_ids holds an id outside the vocabulary");
    }
  }
  return std::nullopt;
}

Refusal CheckPrompt(const std::vector<TokenId>& prompt, const std::string& name,
                    const ServedModel& model) {
  if (prompt.empty()) return FieldError(name, "a prompt must have at least one token");
  if (prompt.size() >= static_cast<std::size_t>(model.length_tokens_max)) {
    return FieldError(name,
                      absl::StrFormat("This model's maximum context length is %d tokens, but the "
                                      "prompt has %d, which leaves no room for an answer. Shorten "
                                      "the prompt.",
                                      model.length_tokens_max, prompt.size()),
                      "context_length_exceeded");
  }
  const auto outside = [&model](TokenId id) { return id < 0 || id >= model.vocab_size; };
  if (std::any_of(prompt.begin(), prompt.end(), outside)) {
    return FieldError(name, "the prompt holds a token id outside the vocabulary");
  }
  return std::nullopt;
}

Refusal CheckPrompts(const std::vector<std::vector<TokenId>>& prompts,
                     const GenerationFields& fields, const ServedModel& model,
                     const FieldLimits& limits) {
  const std::string& name = fields.prompt_name;
  if (prompts.empty()) return FieldError(name, "there is no prompt");
  if (prompts.size() > static_cast<std::size_t>(limits.prompts_max)) {
    return FieldError(name, absl::StrFormat("at most %d prompts a call", limits.prompts_max));
  }
  if (static_cast<std::int64_t>(prompts.size()) * fields.n.value_or(1) > limits.sequences_max) {
    return FieldError("n", absl::StrFormat("at most %d sequences a call (prompts times n)",
                                           limits.sequences_max));
  }
  for (const std::vector<TokenId>& prompt : prompts) {
    if (Refusal no = CheckPrompt(prompt, name, model)) return no;
  }
  return std::nullopt;
}

SamplingParams SamplingOf(const GenerationFields& fields, std::uint64_t seed) {
  SamplingParams sampling;
  sampling.temperature = static_cast<float>(fields.temperature.value_or(1));
  sampling.top_p = static_cast<float>(fields.top_p.value_or(1));
  sampling.min_p = static_cast<float>(fields.min_p.value_or(0));
  sampling.top_k = static_cast<int>(std::max<std::int64_t>(0, fields.top_k.value_or(0)));
  sampling.seed = seed;
  sampling.logprobs = static_cast<int>(fields.logprobs.value_or(-1));
  const std::int64_t echoed = fields.echo ? fields.logprobs.value_or(-1) : -1;
  sampling.prompt_logprobs =
      static_cast<int>(std::max(echoed, fields.prompt_logprobs.value_or(-1)));
  return sampling;
}

// The client's stop ids end an answer even where the model's end tokens are ignored.
StopRule StopRuleOf(const GenerationFields& fields, const ServedModel& model,
                    std::size_t prompt_tokens) {
  const std::int64_t room = model.length_tokens_max - static_cast<std::int64_t>(prompt_tokens);
  StopRule stop;
  stop.max_tokens = static_cast<int>(std::clamp<std::int64_t>(fields.max_tokens.value_or(room), 1,
                                                              std::max<std::int64_t>(1, room)));
  stop.min_tokens = static_cast<int>(fields.min_tokens.value_or(0));
  if (!fields.ignore_eos) stop.end_tokens = model.end_tokens;
  for (const std::int64_t token : fields.stop_token_ids) {
    stop.end_tokens.push_back(static_cast<TokenId>(token));
  }
  stop.ignore_end_tokens = stop.end_tokens.empty();
  return stop;
}

}  // namespace

std::optional<HttpError> MakePlan(const GenerationFields& fields,
                                  std::vector<std::vector<TokenId>> prompts,
                                  const ServedModel& model, const PlanOptions& options,
                                  GenerationPlan& plan) {
  const FieldLimits& limits = options.limits;
  if (Refusal no = CheckSampling(fields, limits)) return no;
  if (Refusal no = CheckStops(fields, limits)) return no;
  if (Refusal no = CheckAgainstModel(fields, model)) return no;
  if (Refusal no = CheckPrompts(prompts, fields, model, limits)) return no;

  plan.prompts = static_cast<int>(prompts.size());
  plan.choices = static_cast<int>(fields.n.value_or(1));
  plan.prompt_only = fields.max_tokens == 0;
  plan.text = {fields.stop, fields.include_stop_str_in_output, fields.skip_special_tokens,
               static_cast<int>(fields.min_tokens.value_or(0))};
  plan.client_stop_tokens.assign(fields.stop_token_ids.begin(), fields.stop_token_ids.end());
  const std::uint64_t seed = fields.seed.has_value() ? *fields.seed : options.random();
  const std::string salt = DeriveCacheSalt(options.cluster_secret, "", fields.cache_salt);
  for (std::vector<TokenId>& prompt : prompts) {
    for (int choice = 0; choice < plan.choices; ++choice) {
      Request request;
      request.id = {options.random(), options.random()};
      request.sampling = SamplingOf(fields, seed);
      request.sampling.choice = static_cast<std::uint32_t>(choice);
      request.stop = StopRuleOf(fields, model, prompt.size());
      request.cache_salt = salt;
      request.time_left = options.time_left;
      request.prompt = choice + 1 == plan.choices ? std::move(prompt) : prompt;
      plan.requests.push_back(std::move(request));
    }
  }
  return std::nullopt;
}

}  // namespace baton
