// What the router's pure objects are told at start: knobs out of Config, and the randomness they
// may use.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "config/config.h"

namespace baton {

enum class RoutePolicy {
  kPredictedTtft,  // least forecast seconds (docs/routing.md)
  // For comparison:
  kCacheAware,  // the longest match, unless requests are uneven
  kPowerOfTwo,  // the shorter queue of two drawn ones
  kRoundRobin,
  kRandom,
  kLongestMatch,  // ties by queue; no configuration names it: see docs/routing.md why
};

/// The model whose text this router speaks. A worker that serves another would answer with tokens
/// that mean something else, and nobody would notice.
struct ExpectedModel {
  std::string name;            // as workers state it; "" = any
  int ids_with_text = 0;       // of the router's tokenizer; 0 = token ids alone
  bool own_tokenizer = false;  // the model's own, so that the ids of both must be the same
};

struct RouterOptions {
  ExpectedModel model;
  RoutePolicy policy = RoutePolicy::kPredictedTtft;
  double decode_weight = 1;
  int local_prefill_tokens_max =
      -1;                      // -1 = the cost decides; 0 = never while a prefill worker is up
  int step_tokens_max = 8192;  // of a prefill worker: how a forecast cuts chunks
  Duration backlog_max = Milliseconds(2000);
  Duration heartbeat = std::chrono::seconds(5);
  Duration worker_ttl = std::chrono::seconds(15);
  std::uint64_t index_bytes_max = 1ULL << 30;
  std::uint32_t index_stride = 1;  // every so manieth page is kept
  int requests_max = 4096;         // live requests
  int queue_requests_max = 1024;
  Duration queue_max = std::chrono::seconds(30);
  int retries_max = 2;  // without a token of decode's in between
  Duration backoff = Milliseconds(50);
  /// How long a request that has begun waits for a worker to come (back).
  Duration lost_worker_wait = std::chrono::seconds(2);
  /// How long a decode worker must have been up without a prefill worker before it runs prompts
  /// itself. 0 = an aggregated cluster: at once.
  Duration alone_after = std::chrono::seconds(3);

  std::uint64_t seed = 0;  // of draws among equals
  std::uint64_t incarnation = 1;
  /// 32 random bytes: introductions are derived from it. A simulation may fix it.
  std::string introduction_secret;
};

/// The knobs that `config` names; seed, incarnation and secret are the caller's.
/// Zeros that mean "choose" in Config become the defaults above.
RouterOptions RouterOptionsFrom(const Config& config);

}  // namespace baton
