// The part of RouterCore that follows requests: from the door to a pair, and after each event.
#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "kvcache/page_key.h"
#include "router/route_policy.h"
#include "router/router_core.h"

namespace baton {
namespace {

constexpr Duration kExpectedAfter = std::chrono::seconds(2);
constexpr Duration kExpectedMax = std::chrono::seconds(60);
constexpr double kOutputMeanWeight = 0.05;

Duration FromSeconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

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
  const CandidatesQuery query{
      .keys = {}, .prompt_tokens = 1, .avoid = {}, .alone_allowed = AloneAllowed(now)};
  const CandidatesVerdict verdict = FindCandidates(fleet_, index_, options_, query, now).verdict;
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
  const CandidatesQuery ask{.keys = flow.ScoresPrompt() ? keys.first(0) : keys,
                            .prompt_tokens = prompt_tokens,
                            .avoid = flow.avoid(),
                            .alone_allowed = AloneAllowed(now)};
  const Candidates candidates = FindCandidates(fleet_, index_, options_, ask, now);
  if (candidates.verdict == CandidatesVerdict::kFull) return false;
  if (candidates.verdict == CandidatesVerdict::kNoWorker) {
    flow.OnNoWorker(now);
  } else if (candidates.verdict == CandidatesVerdict::kNeverFits) {
    flow.Fail(absl::InvalidArgumentError("the prompt is longer than a worker's page pool"),
              "context_length_exceeded", outbox_);
  } else {
    const RouteQuery query{.prompt_tokens = prompt_tokens,
                           .output_tokens = ExpectedOutput(flow),
                           .page_tokens = PageTokens(),
                           .step_tokens_max = options_.step_tokens_max,
                           .decode_weight = options_.decode_weight,
                           .wire = wire_,
                           .draw = random_()};
    const auto choice = ChooseByPolicy(options_.policy, query, candidates, turns_++);
    BATON_CHECK(choice.has_value());  // kSome promises a pair
    if (choice->prefill) ++stats_.routed_disaggregated;
    if (!choice->prefill) ++(candidates.alone ? stats_.routed_fallback : stats_.routed_local);
    Dispatch(live, *choice, now);
  }
  After(live);
  return true;
}

int RouterCore::PageTokens() const {
  return static_cast<int>(fleet_.workers().begin()->second.facts.page_tokens());
}

void RouterCore::UpdateKeys(LiveRequest& live) const {
  const RequestFlow& flow = *live.flow;
  const bool known = !live.keys.empty() && live.keyed_generated == flow.generated().size();
  if (known || fleet_.empty()) return;
  const link::Register& facts = fleet_.workers().begin()->second.facts;
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
    const link::Register& facts = fleet_.Find(link)->facts;
    return FlowWorker{link, facts.worker_id(), Incarnation{facts.incarnation()}};
  };
  FlowPair pair{.prefill = std::nullopt,
                .decode = worker_of(choice.decode),
                .decode_transfer_address = fleet_.Find(choice.decode)->facts.transfer_address(),
                .introduction = ""};
  if (!choice.prefill) return pair;
  pair.prefill = worker_of(*choice.prefill);
  pair.introduction = IntroductionOf(options_.introduction_secret, pair.prefill->incarnation,
                                     pair.decode.incarnation);
  return pair;
}

void RouterCore::Dispatch(LiveRequest& live, const RouteChoice& choice, Instant now) {
  FlowPair pair = PairOf(choice);
  if (choice.prefill) {
    fleet_.Find(*choice.prefill)->peers.insert(choice.decode);
    fleet_.Find(choice.decode)->peers.insert(*choice.prefill);
  }
  stats_.predicted_tokens += static_cast<std::uint64_t>(choice.cached_tokens);
  Charge(live, choice, now);
  live.flow->Dispatch(std::move(pair), now, outbox_);
}

// The workers' statements will hold this work soon; until then it counts here.
void RouterCore::Charge(LiveRequest& live, const RouteChoice& choice, Instant now) {
  const int total = choice.cached_tokens + choice.computed_tokens;
  const int page = PageTokens();
  SentWork work{.prompt_tokens = static_cast<double>(choice.computed_tokens),
                .context_tokens = static_cast<double>(total),
                .pages = static_cast<std::uint32_t>((total + page) / page)};
  const Duration finish = FromSeconds(std::min(choice.late_seconds, ToSeconds(kExpectedMax)));
  const Instant until = now + std::min(finish + kExpectedAfter, kExpectedMax);
  const RequestId& id = live.flow->request().id;
  const auto charge = [&](LinkId link) {
    fleet_.OnSent(*fleet_.Find(link), id, work, now);
    index_.Expect(link, live.keys, until);
    live.charged.push_back(link);
  };
  if (choice.prefill) {
    charge(*choice.prefill);
    work.prompt_tokens = 0;
  }
  charge(choice.decode);
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
    fleet_.OnEnded(link, live.flow->request().id);
    if (forget_expected) index_.Unexpect(link, live.keys);
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
