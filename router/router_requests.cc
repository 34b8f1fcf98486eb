// The part of RouterCore that follows requests: from the door to a pair, and after each event.
#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "kvcache/page_key.h"
#include "router/router_core.h"

namespace baton {
namespace {

constexpr double kOutputMeanWeight = 0.05;

}  // namespace

void RouterCore::Submit(Request request, std::unique_ptr<ResponseObserver> observer, Instant now) {
  const RequestId id = request.id;
  const bool sound = !request.prompt.empty() && request.stop.max_tokens >= 1;
  const FlowLimits limits{.retries_max = options_.retries_max,
                          .backoff = options_.backoff,
                          .queue_max = options_.queue_max,
                          .lost_worker_wait = options_.lost_worker_wait};
  auto flow = std::make_unique<RequestFlow>(std::move(request), std::move(observer), limits, now);
  const auto refuse = [&](const absl::Status& status, const char* code) {
    flow->Fail(status, code, outbox_);
    ++stats_.rejects[code];
    ++stats_.outcomes[code];
  };
  if (draining_) return refuse(absl::UnavailableError("the router is draining"), "draining");
  if (!sound) return refuse(absl::InvalidArgumentError("empty prompt or no tokens"), "internal");
  if (live_.size() >= static_cast<std::size_t>(options_.requests_max)) {
    return refuse(absl::ResourceExhaustedError("router.requests_max is reached"), "queue_full");
  }
  if (live_.Find(id) != nullptr) {
    return refuse(absl::InternalError("the request's id is in use"), "internal");
  }
  live_.Add(std::move(flow));
  RouteQueue(now);
  LiveRequest* live = live_.Find(id);
  if (live == nullptr || live->flow->state() != FlowState::kQueued) return;
  if (live_.queued() <= static_cast<std::size_t>(options_.queue_requests_max)) return;
  live->flow->Fail(absl::ResourceExhaustedError("router.queue_requests_max is reached"),
                   "queue_full", outbox_);
  After(*live);
}

void RouterCore::Cancel(const RequestId& id, bool answered) {
  WithFlow(id, [this, answered](RequestFlow& flow) { flow.Cancel(answered, outbox_); });
}

void RouterCore::StartDrain() { draining_ = true; }

bool RouterCore::Drained() const { return draining_ && live_.size() == 0; }

bool RouterCore::Ready(Instant now) const {
  const CandidatesVerdict verdict = planner_.Verdict(AloneAllowed(now), now);
  return !draining_ && (verdict == CandidatesVerdict::kSome || verdict == CandidatesVerdict::kFull);
}

bool RouterCore::AloneAllowed(Instant now) const {
  return prefill_seen_ || (decode_since_ && now - *decode_since_ >= options_.alone_after);
}

void RouterCore::RouteQueue(Instant now) {
  for (const RequestId& id : live_.Queue()) {
    LiveRequest& live = *live_.Find(id);
    if (live.flow->ready_at() > now) continue;
    if (!TryRoute(live, now)) return;
  }
}

bool RouterCore::TryRoute(LiveRequest& live, Instant now) {
  UpdateKeys(live);
  RequestFlow& flow = *live.flow;
  const int prompt_tokens =
      static_cast<int>(flow.request().prompt.size() + flow.generated().size());
  const std::span<const std::uint64_t> keys = live.keys;
  const RouteAsk ask{.keys = flow.ScoresPrompt() ? keys.first(0) : keys,
                     .prompt_tokens = prompt_tokens,
                     .output_tokens = ExpectedOutput(flow),
                     .avoid = flow.avoid(),
                     .alone_allowed = AloneAllowed(now),
                     .draw = random_(),
                     .turn = turns_};
  const RoutePlan plan = planner_.Plan(ask, now);
  if (plan.verdict == CandidatesVerdict::kFull) return false;
  if (plan.verdict == CandidatesVerdict::kNoWorker) {
    flow.OnNoWorker(now);
  } else if (plan.verdict == CandidatesVerdict::kNeverFits) {
    flow.Fail(absl::InvalidArgumentError("the prompt is longer than a worker's page pool"),
              "context_length_exceeded", outbox_);
  } else {
    BATON_CHECK(plan.choice.has_value());  // kSome promises a pair
    ++turns_;
    if (plan.choice->prefill) ++stats_.routed_disaggregated;
    if (!plan.choice->prefill) ++(plan.alone ? stats_.routed_fallback : stats_.routed_local);
    Dispatch(live, *plan.choice, now);
  }
  After(live);
  return true;
}

void RouterCore::UpdateKeys(LiveRequest& live) const {
  const RequestFlow& flow = *live.flow;
  const bool known = !live.keys.empty() && live.keyed_generated == flow.generated().size();
  const Fleet& fleet = planner_.fleet();
  if (known || fleet.empty()) return;
  const link::Register& facts = fleet.workers().begin()->second.facts;
  std::vector<TokenId> tokens = flow.request().prompt;
  tokens.insert(tokens.end(), flow.generated().begin(), flow.generated().end());
  const PageKey root = RootKey(facts.key_namespace(), flow.request().cache_salt);
  live.keys.clear();
  for (const PageKey& key : PageKeysOf(root, tokens, static_cast<int>(facts.page_tokens()))) {
    live.keys.push_back(key.low);
  }
  live.keyed_generated = flow.generated().size();
}

int RouterCore::ExpectedOutput(const RequestFlow& flow) const {
  const double left = static_cast<double>(flow.request().stop.max_tokens) -
                      static_cast<double>(flow.generated().size());
  return static_cast<int>(std::clamp(output_tokens_mean_, 1.0, std::max(1.0, left)));
}

FlowPair RouterCore::PairOf(const RouteChoice& choice) const {
  const auto worker_of = [this](LinkId link) {
    const link::Register& facts = planner_.fleet().Find(link)->facts;
    return FlowWorker{link, facts.worker_id(), Incarnation{facts.incarnation()}};
  };
  FlowPair pair{
      .prefill = std::nullopt,
      .decode = worker_of(choice.decode),
      .decode_transfer_address = planner_.fleet().Find(choice.decode)->facts.transfer_address(),
      .introduction = ""};
  if (!choice.prefill) return pair;
  pair.prefill = worker_of(*choice.prefill);
  pair.introduction = IntroductionOf(options_.introduction_secret, pair.prefill->incarnation,
                                     pair.decode.incarnation);
  return pair;
}

void RouterCore::Dispatch(LiveRequest& live, const RouteChoice& choice, Instant now) {
  FlowPair pair = PairOf(choice);
  stats_.predicted_tokens += static_cast<std::uint64_t>(choice.cached_tokens);
  planner_.Charge(choice, live.flow->request().id, live.keys, now);
  if (choice.prefill) live.charged.push_back(*choice.prefill);
  live.charged.push_back(choice.decode);
  live.flow->Dispatch(std::move(pair), now, outbox_);
}

void RouterCore::After(LiveRequest& live) {
  RequestFlow& flow = *live.flow;
  const bool ended = flow.state() == FlowState::kEnded;
  const bool again = live.seen == FlowState::kRunning && flow.state() == FlowState::kQueued;
  if (again) ++stats_.retries[flow.retry_reason()];
  if (again || ended) Settle(live, again || flow.outcome() != "finished");
  if (!ended) return live_.Refresh(live);
  ++stats_.outcomes[flow.outcome()];
  if (flow.attempt() == 0) ++stats_.rejects[flow.outcome()];
  if (flow.outcome() == "finished") {
    output_tokens_mean_ +=
        kOutputMeanWeight * (static_cast<double>(flow.generated().size()) - output_tokens_mean_);
  }
  live_.Erase(live);
}

void RouterCore::Settle(LiveRequest& live, bool forget_expected) {
  for (const LinkId link : live.charged) {
    planner_.Settle(link, live.flow->request().id, live.keys, forget_expected);
  }
  live.charged.clear();
}

void RouterCore::WithFlow(const RequestId& id, absl::FunctionRef<void(RequestFlow&)> event) {
  LiveRequest* live = live_.Find(id);
  if (live == nullptr) return;
  event(*live->flow);
  After(*live);
}

}  // namespace baton
