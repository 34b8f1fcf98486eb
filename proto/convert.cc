#include "proto/convert.h"

namespace baton {

RequestId FromProto(const link::Id128& id) { return {id.high(), id.low()}; }

void ToProto(const RequestId& id, link::Id128* out) {
  out->set_high(id.high);
  out->set_low(id.low);
}

SamplingParams FromProto(const link::Sampling& sampling) {
  return {.temperature = sampling.temperature(),
          .top_p = sampling.top_p(),
          .top_k = sampling.top_k(),
          .min_p = sampling.min_p(),
          .seed = sampling.seed(),
          .choice = sampling.choice(),
          .logprobs = sampling.logprobs()};
}

void ToProto(const SamplingParams& sampling, link::Sampling* out) {
  out->set_temperature(sampling.temperature);
  out->set_top_p(sampling.top_p);
  out->set_top_k(sampling.top_k);
  out->set_min_p(sampling.min_p);
  out->set_seed(sampling.seed);
  out->set_choice(sampling.choice);
  out->set_logprobs(sampling.logprobs);
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

TokenOutput FromProto(const link::TokenOut& token) {
  TokenOutput output{.token = token.token(), .logprob = token.logprob(), .top = {}};
  for (const link::Logprob& entry : token.top()) {
    output.top.push_back({entry.token(), entry.logprob()});
  }
  return output;
}

void ToProto(const TokenOutput& token, link::TokenOut* out) {
  out->set_token(token.token);
  out->set_logprob(token.logprob);
  for (const TokenLogprob& entry : token.top) {
    link::Logprob* added = out->add_top();
    added->set_token(entry.token);
    added->set_logprob(entry.logprob);
  }
}

}  // namespace baton
