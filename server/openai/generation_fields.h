// What a client said about how to generate, as it was said: nothing is checked against a range or a
// model yet, absent stays absent. Both front doors fill it; GenerationPlan checks it, once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/openai/logit_fields.h"

namespace baton {

struct GenerationFields {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<double> min_p;
  std::optional<std::int64_t> top_k;  // 0 and -1: all
  std::optional<std::uint64_t> seed;
  std::optional<std::int64_t> n;
  std::optional<std::int64_t> max_tokens;  // absent: up to the model's length
  std::optional<std::int64_t> min_tokens;
  std::optional<std::int64_t> logprobs;         // alternatives with each token; absent: none at all
  std::optional<std::int64_t> prompt_logprobs;  // alternatives with each token of the prompt
  bool echo = false;                            // the prompt stands before its answer
  LogitFields logits;
  std::vector<std::string> stop;
  std::vector<std::int64_t> stop_token_ids;
  bool ignore_eos = false;
  bool include_stop_str_in_output = false;
  bool skip_special_tokens = true;
  std::string cache_salt;  // the client's own; narrows sharing

  // How this front spells two of them, for refusals.
  std::string max_tokens_name = "max_tokens";
  std::string logprobs_name = "logprobs";
  std::string prompt_name = "prompt";
};

}  // namespace baton
