// Messages between router and worker, written the way a test reads best.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/sampling.h"
#include "kvcache/kv_arena.h"
#include "proto/link.pb.h"
#include "proto/worker_output.h"

namespace baton {

/// A worker over `arena` with the fake executor's model.
link::Register FakeFacts(const std::string& worker_id, std::uint64_t incarnation, link::Role role,
                         const KvArena& arena);

/// `count` lawful tokens; equal seeds give equal prefixes.
std::vector<TokenId> FakePrompt(int count, std::uint64_t seed);

/// What a test asks of a request.
struct FakeRequest {
  std::uint64_t id = 1;
  std::uint32_t attempt = 1;
  std::vector<TokenId> tokens = {};
  int prompt_tokens = 0;  // 0 = all of `tokens`
  int max_tokens = 4;
  int logprobs = -1;
  int prompt_logprobs = -1;
  std::uint64_t seed = 0;
  std::uint32_t deadline_ms = 60'000;
  std::string salt = "";
};

SamplingParams SamplingOf(const FakeRequest& request);
StopRule StopOf(const FakeRequest& request);

link::RouterMessage PrefillJobOf(const FakeRequest& request, const link::Register& decode);
/// `prefill` null: decode runs the prompt itself.
link::RouterMessage DecodeJobOf(const FakeRequest& request, const link::Register* prefill);
link::RouterMessage CancelOf(std::uint64_t id, std::uint32_t attempt);
link::RouterMessage VerdictOf(const link::Register& worker);

/// Token ids in all StepTokens of request `id` among `outputs`, in order.
std::vector<TokenId> TokensOf(const std::vector<WorkerOutput>& outputs, std::uint64_t id);
/// All PromptLogprobs of request `id`, in order; each position is the one after the last.
std::vector<PromptLogprob> PromptLogprobsOf(const std::vector<WorkerOutput>& outputs,
                                            std::uint64_t id);
/// The JobFailed messages of request `id`.
std::vector<link::JobFailed> FailuresOf(const std::vector<WorkerOutput>& outputs, std::uint64_t id);

}  // namespace baton
