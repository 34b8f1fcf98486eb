#include "tests/testing/worker_messages.h"

#include "proto/convert.h"
#include "tests/testing/fake_executor.h"

namespace baton {
namespace {

constexpr int kFakeLengthMax = 4096;

link::Sequence SequenceOf(const FakeRequest& request) {
  link::Sequence sequence;
  sequence.mutable_request()->set_low(request.id);
  sequence.set_attempt(request.attempt);
  sequence.mutable_tokens()->Assign(request.tokens.begin(), request.tokens.end());
  const std::size_t prompt = request.prompt_tokens == 0
                                 ? request.tokens.size()
                                 : static_cast<std::size_t>(request.prompt_tokens);
  sequence.set_prompt_tokens(static_cast<std::uint32_t>(prompt));
  ToProto(SamplingOf(request), sequence.mutable_sampling());
  ToProto(StopOf(request), sequence.mutable_stop());
  sequence.set_deadline_ms(request.deadline_ms);
  sequence.set_cache_salt(request.salt);
  return sequence;
}

void FillPeer(const link::Register& worker, link::Peer* peer) {
  peer->set_worker_id(worker.worker_id());
  peer->set_incarnation(worker.incarnation());
  peer->set_transfer_address(worker.transfer_address());
  peer->set_introduction(std::string(16, 'i'));
}

}  // namespace

link::Register FakeFacts(const std::string& worker_id, std::uint64_t incarnation, link::Role role,
                         const KvArena& arena) {
  link::Register facts;
  facts.set_worker_id(worker_id);
  facts.set_incarnation(incarnation);
  facts.set_role(role);
  facts.set_transfer_address(worker_id);
  facts.set_pages(arena.num_pages());
  facts.set_page_tokens(static_cast<std::uint32_t>(arena.layout().tokens_per_page));
  facts.set_key_namespace("fake");
  facts.mutable_model()->set_name("fake");
  facts.mutable_model()->set_vocab_size(kFakeVocabulary);
  facts.mutable_model()->set_ids_with_text(kFakeVocabulary);
  facts.mutable_model()->set_length_tokens_max(kFakeLengthMax);
  return facts;
}

std::vector<TokenId> FakePrompt(int count, std::uint64_t seed) {
  std::vector<TokenId> tokens;
  std::uint64_t state = seed;
  for (int i = 0; i < count; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    tokens.push_back(static_cast<TokenId>((state >> 33) % kFakeVocabulary));
  }
  return tokens;
}

SamplingParams SamplingOf(const FakeRequest& request) {
  SamplingParams sampling;
  sampling.seed = request.seed;
  sampling.logprobs = request.logprobs;
  sampling.prompt_logprobs = request.prompt_logprobs;
  return sampling;
}

StopRule StopOf(const FakeRequest& request) {
  StopRule stop;
  stop.max_tokens = request.max_tokens;
  return stop;
}

link::RouterMessage PrefillJobOf(const FakeRequest& request, const link::Register& decode) {
  link::RouterMessage message;
  *message.mutable_prefill()->mutable_sequence() = SequenceOf(request);
  FillPeer(decode, message.mutable_prefill()->mutable_decode());
  return message;
}

link::RouterMessage DecodeJobOf(const FakeRequest& request, const link::Register* prefill) {
  link::RouterMessage message;
  *message.mutable_decode()->mutable_sequence() = SequenceOf(request);
  if (prefill != nullptr) FillPeer(*prefill, message.mutable_decode()->mutable_prefill());
  return message;
}

link::RouterMessage CancelOf(std::uint64_t id, std::uint32_t attempt) {
  link::RouterMessage message;
  message.mutable_cancel()->mutable_request()->set_low(id);
  message.mutable_cancel()->set_attempt(attempt);
  return message;
}

link::RouterMessage VerdictOf(const link::Register& worker) {
  link::RouterMessage message;
  message.mutable_verdict()->set_worker_id(worker.worker_id());
  message.mutable_verdict()->set_incarnation(worker.incarnation());
  return message;
}

std::vector<TokenId> TokensOf(const std::vector<WorkerOutput>& outputs, std::uint64_t id) {
  std::vector<TokenId> tokens;
  for (const WorkerOutput& output : outputs) {
    for (const link::SequenceTokens& said : output.message.tokens().sequences()) {
      if (said.request().low() != id) continue;
      for (const link::TokenOut& token : said.tokens()) tokens.push_back(token.token());
    }
  }
  return tokens;
}

std::vector<PromptLogprob> PromptLogprobsOf(const std::vector<WorkerOutput>& outputs,
                                            std::uint64_t id) {
  std::vector<PromptLogprob> scored;
  for (const WorkerOutput& output : outputs) {
    const link::PromptLogprobs& said = output.message.prompt_logprobs();
    if (said.request().low() != id || said.first_position() != scored.size() + 1) continue;
    for (const link::PromptLogprob& token : said.tokens()) scored.push_back(FromProto(token));
  }
  return scored;
}

std::vector<link::JobFailed> FailuresOf(const std::vector<WorkerOutput>& outputs,
                                        std::uint64_t id) {
  std::vector<link::JobFailed> failures;
  for (const WorkerOutput& output : outputs) {
    if (output.message.has_failed() && output.message.failed().request().low() == id) {
      failures.push_back(output.message.failed());
    }
  }
  return failures;
}

}  // namespace baton
