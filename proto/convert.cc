#include "proto/convert.h"

namespace baton {
namespace {

using ProtoTop = google::protobuf::RepeatedPtrField<link::Logprob>;

void TopFromProto(const ProtoTop& top, std::vector<TokenLogprob>& out) {
  out.reserve(static_cast<std::size_t>(top.size()));
  for (const link::Logprob& entry : top) out.push_back({entry.token(), entry.logprob()});
}

void TopToProto(const std::vector<TokenLogprob>& top, ProtoTop* out) {
  for (const TokenLogprob& entry : top) {
    link::Logprob* const added = out->Add();
    added->set_token(entry.token);
    added->set_logprob(entry.logprob);
  }
}

}  // namespace

RequestId FromProto(const link::Id128& id) { return {id.high(), id.low()}; }

void ToProto(const RequestId& id, link::Id128* out) {
  out->set_high(id.high);
  out->set_low(id.low);
}

SamplingParams FromProto(const link::Sampling& sampling) {
  const float repetition = sampling.repetition_penalty();
  SamplingParams params{
      .temperature = sampling.temperature(),
      .top_p = sampling.top_p(),
      .top_k = sampling.top_k(),
      .min_p = sampling.min_p(),
      .seed = sampling.seed(),
      .choice = sampling.choice(),
      .logprobs = sampling.logprobs(),
      .prompt_logprobs = sampling.has_prompt_logprobs() ? sampling.prompt_logprobs() : -1,
      .rules = {
          .repetition_penalty = repetition == 0 ? 1.0F : repetition,
          .frequency_penalty = sampling.frequency_penalty(),
          .presence_penalty = sampling.presence_penalty(),
          .logit_bias = {},
          .allowed_tokens = {sampling.allowed_tokens().begin(), sampling.allowed_tokens().end()},
          .bad_words = {}}};
  for (const link::LogitBias& bias : sampling.logit_bias()) {
    params.rules.logit_bias.push_back({bias.token(), bias.bias()});
  }
  for (const link::TokenIds& word : sampling.bad_words()) {
    params.rules.bad_words.emplace_back(word.ids().begin(), word.ids().end());
  }
  return params;
}

void ToProto(const SamplingParams& sampling, link::Sampling* out) {
  out->set_temperature(sampling.temperature);
  out->set_top_p(sampling.top_p);
  out->set_top_k(sampling.top_k);
  out->set_min_p(sampling.min_p);
  out->set_seed(sampling.seed);
  out->set_choice(sampling.choice);
  out->set_logprobs(sampling.logprobs);
  if (sampling.prompt_logprobs >= 0) out->set_prompt_logprobs(sampling.prompt_logprobs);
  out->set_repetition_penalty(sampling.rules.repetition_penalty);
  out->set_frequency_penalty(sampling.rules.frequency_penalty);
  out->set_presence_penalty(sampling.rules.presence_penalty);
  for (const LogitBias& bias : sampling.rules.logit_bias) {
    link::LogitBias* const added = out->add_logit_bias();
    added->set_token(bias.token);
    added->set_bias(bias.bias);
  }
  out->mutable_allowed_tokens()->Add(sampling.rules.allowed_tokens.begin(),
                                     sampling.rules.allowed_tokens.end());
  for (const std::vector<TokenId>& word : sampling.rules.bad_words) {
    out->add_bad_words()->mutable_ids()->Add(word.begin(), word.end());
  }
}

StopRule FromProto(const link::Stop& stop) {
  return {.max_tokens = stop.max_tokens(),
          .min_tokens = stop.min_tokens(),
          .ignore_end_tokens = stop.ignore_end_tokens(),
          .end_tokens = {stop.end_tokens().begin(), stop.end_tokens().end()}};
}

void ToProto(const StopRule& stop, link::Stop* out) {
  out->set_max_tokens(stop.max_tokens);
  out->set_min_tokens(stop.min_tokens);
  out->set_ignore_end_tokens(stop.ignore_end_tokens);
  out->mutable_end_tokens()->Assign(stop.end_tokens.begin(), stop.end_tokens.end());
}

PromptLogprob FromProto(const link::PromptLogprob& token) {
  PromptLogprob scored{.token = token.token(),
                       .logprob = token.logprob(),
                       .rank = static_cast<int>(token.rank()),
                       .top = {}};
  TopFromProto(token.top(), scored.top);
  return scored;
}

void ToProto(const PromptLogprob& token, link::PromptLogprob* out) {
  out->set_token(token.token);
  out->set_logprob(token.logprob);
  out->set_rank(static_cast<std::uint32_t>(token.rank));
  TopToProto(token.top, out->mutable_top());
}

TokenOutput FromProto(const link::TokenOut& token) {
  TokenOutput output{.token = token.token(), .logprob = token.logprob(), .top = {}};
  TopFromProto(token.top(), output.top);
  return output;
}

void ToProto(const TokenOutput& token, link::TokenOut* out) {
  out->set_token(token.token);
  out->set_logprob(token.logprob);
  TopToProto(token.top, out->mutable_top());
}

}  // namespace baton
