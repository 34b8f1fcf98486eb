// One client request below the door: tokens and numbers, no text. Made by server/, once; the same
// value whether it came by HTTP or gRPC.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/ids.h"
#include "base/sampling.h"
#include "base/time.h"

namespace baton {

struct Request {
  RequestId id;
  std::vector<TokenId> prompt;  // >= 1 token
  SamplingParams sampling;      // seed always set
  StopRule stop;                // max_tokens already clamped to the model's length
  std::string cache_salt;       // tenant's and client's, derived by the server
  Duration time_left = std::chrono::seconds(600);
};

/// The parts of the hand-off that a user feels, on the clock of who measured them.
struct HandoffBudget {
  std::string prefill_worker;  // empty: decode ran the prompt itself
  std::string decode_worker;
  std::string wire;           // "tcp", "shm"; empty without a hand-off
  double queue_ms = 0;        // job read -> first chunk launched
  double prefill_ms = 0;      // first chunk launched -> last layer done
  double offer_ms = 0;        // Offer -> first Grant
  double exposed_ms = 0;      // prompt computed -> commit acknowledged
  double commit_ms = 0;       // Commit -> acknowledged
  double first_token_ms = 0;  // request read -> first token at the router
  std::uint64_t bytes = 0;
  std::uint32_t pages_sent = 0;
  std::uint32_t pages_saved = 0;
};

struct RequestUsage {
  int prompt_tokens = 0;
  int completion_tokens = 0;
  int cached_tokens = 0;  // of the prompt: tokens that nobody computed for this request
};

/// Receives what becomes of one request, on the route thread: hand over, do not work. After
/// OnFinished or OnFailed, exactly one of which comes, nothing follows.
class ResponseObserver {
 public:
  virtual ~ResponseObserver() = default;

  /// The prompt's tokens from its second on, contiguous, each exactly once, all of them before the
  /// first OnTokens; only where sampling.prompt_logprobs asks for them.
  virtual void OnPromptLogprobs(const std::vector<PromptLogprob>& tokens) = 0;

  /// Generated tokens, contiguous from 0, each exactly once.
  virtual void OnTokens(const std::vector<TokenOutput>& tokens) = 0;
  virtual void OnFinished(FinishReason reason, const RequestUsage& usage,
                          const HandoffBudget& budget) = 0;

  /// `status`: Unavailable (no worker, draining, hand-offs fail), ResourceExhausted (queue full),
  /// DeadlineExceeded, InvalidArgument (can never fit), Cancelled, Internal. `code` is the OpenAI
  /// error code: "no_worker", "queue_full", "draining", "handoff_failed", "deadline",
  /// "context_length_exceeded", "internal"; with Cancelled "cancelled", or "finished" when the
  /// answer was whole.
  virtual void OnFailed(const absl::Status& status, const std::string& code) = 0;
};

/// The model as registered workers state it. Its length is the model's own, or what the smallest
/// worker's page pool holds.
struct ServedModel {
  std::string name;
  int vocab_size = 0;
  int ids_with_text = 0;
  int length_tokens_max = 0;
  int page_tokens = 0;
  std::vector<TokenId> end_tokens;
};

}  // namespace baton
