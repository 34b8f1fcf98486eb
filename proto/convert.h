// Between the words of base/ and their messages in proto/link.proto. Each pair is each other's
// inverse.
#pragma once

#include "base/ids.h"
#include "base/sampling.h"
#include "proto/link.pb.h"

namespace baton {

RequestId FromProto(const link::Id128& id);
void ToProto(const RequestId& id, link::Id128* out);

SamplingParams FromProto(const link::Sampling& sampling);
void ToProto(const SamplingParams& sampling, link::Sampling* out);

StopRule FromProto(const link::Stop& stop);
void ToProto(const StopRule& stop, link::Stop* out);

PromptLogprob FromProto(const link::PromptLogprob& token);
void ToProto(const PromptLogprob& token, link::PromptLogprob* out);

TokenOutput FromProto(const link::TokenOut& token);
void ToProto(const TokenOutput& token, link::TokenOut* out);

}  // namespace baton
