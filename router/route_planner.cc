#include "router/route_planner.h"

#include <algorithm>
#include <cmath>

#include "router/worker_row.h"

namespace baton {
namespace {

constexpr Duration kExpectedAfter = std::chrono::seconds(2);
constexpr Duration kExpectedMax = std::chrono::seconds(60);
constexpr Duration kForgetEvery = std::chrono::seconds(1);
constexpr Duration kSweepEvery = Milliseconds(10);

// How long a routed prompt's pages are expected.
Instant ExpectedUntil(const RouteChoice& choice, Instant now) {
  const double seconds = std::min(choice.late_seconds(), ToSeconds(kExpectedMax));
  const auto finish = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  return now + std::min(finish + kExpectedAfter, kExpectedMax);
}

}  // namespace

RoutePlanner::RoutePlanner(const RouterOptions& options)
    : options_(options),
      fleet_(options.heartbeat, options.model),
      index_(options.index_bytes_max, options.index_stride) {}

bool RoutePlanner::Join(LinkId link, const link::Register& facts, Instant now) {
  const SlotKind kind{.decode = facts.role() == link::ROLE_DECODE,
                      .domain = domains_.Enter(facts.link_domain())};
  if (!index_.AddWorker(link, kind)) {
    domains_.Leave(facts.link_domain());
    return false;
  }
  Refresh(fleet_.Add(link, facts, now), now);
  return true;
}

void RoutePlanner::Leave(LinkId link) {
  const Worker* worker = fleet_.Find(link);
  if (worker == nullptr) return;
  table_.Clear(*index_.SlotOf(link));
  index_.RemoveWorker(link);
  domains_.Leave(worker->facts.link_domain());
  fleet_.Remove(link);
}

// A worker that drains, or was silent for two heartbeats, is no candidate.
Instant RoutePlanner::ReadyUntil(const Worker& worker) const {
  return worker.load.draining() ? Instant::min() : worker.heard_at + 2 * options_.heartbeat;
}

void RoutePlanner::OnHeard(LinkId link, Instant now) {
  Worker* worker = fleet_.Find(link);
  if (worker == nullptr) return;
  worker->heard_at = now;
  table_.SetReadyUntil(*index_.SlotOf(link), ReadyUntil(*worker), now);
}

void RoutePlanner::OnLoad(LinkId link, const link::Load& load, Instant now) {
  Worker* worker = fleet_.Find(link);
  if (worker == nullptr) return;
  fleet_.OnLoad(*worker, load, now);
  Refresh(*worker, now);
}

EventsVerdict RoutePlanner::OnCacheEvents(LinkId link, const link::CacheEvents& events,
                                          Instant now) {
  const std::optional<Slot> before = index_.SlotOf(link);
  const EventsVerdict verdict = index_.Apply(link, events);
  const std::optional<Slot> after = index_.SlotOf(link);
  if (before == after) return verdict;
  table_.Clear(*before);
  Refresh(*fleet_.Find(link), now);
  return verdict;
}

void RoutePlanner::OnExpected(LinkId link, const link::Expected& expected, Instant now) {
  const Duration within = std::min(Milliseconds(expected.within_ms()), kExpectedMax);
  const std::span<const std::uint64_t> keys(expected.keys().data(),
                                            static_cast<std::size_t>(expected.keys_size()));
  index_.Expect(link, keys, now + within);
}

void RoutePlanner::OnAccepted(LinkId link, const RequestId& request) {
  fleet_.OnAccepted(link, request);
}

void RoutePlanner::OnReport(LinkId prefill, LinkId decode, const link::HandoffReport& report) {
  const Worker* from = fleet_.Find(prefill);
  const Worker* to = fleet_.Find(decode);
  if (report.outcome() != "committed" || from == nullptr || to == nullptr) return;
  const double chunks = std::ceil(report.computed_tokens() / double(options_.step_tokens_max));
  wire_.Observe(static_cast<double>(report.exposed_us()) / 1e6, report.pages_sent(),
                std::max(1.0, chunks), from->facts.link_domain() == to->facts.link_domain());
}

RouteQuery RoutePlanner::QueryOf(const RouteAsk& ask) const {
  return {.prompt_tokens = ask.prompt_tokens,
          .output_tokens = ask.output_tokens,
          .page_tokens = page_tokens(),
          .step_tokens_max = options_.step_tokens_max,
          .decode_weight = options_.decode_weight,
          .wire = wire_,
          .draw = ask.draw};
}

RoutePlan RoutePlanner::Plan(const RouteAsk& ask, Instant now) {
  RoutePlan plan;
  if (fleet_.empty()) return plan;
  const RouteQuery query = QueryOf(ask);
  const CandidatesQuery who{.keys = ask.keys,
                            .avoid = ask.avoid,
                            .alone_allowed = ask.alone_allowed,
                            .everybody = options_.policy != RoutePolicy::kPredictedTtft};
  const Candidates& found = finder_.Find(table_, index_, options_, who, query, now);
  plan.verdict = found.verdict;
  plan.alone = found.alone;
  if (plan.verdict != CandidatesVerdict::kSome) return plan;
  plan.choice = chooser_.Choose(options_.policy, query, found, ask.turn);
  return plan;
}

CandidatesVerdict RoutePlanner::Verdict(bool alone_allowed, Instant now) const {
  if (fleet_.empty()) return CandidatesVerdict::kNoWorker;
  return VerdictOf(table_, options_, 1, page_tokens(), alone_allowed, now);
}

void RoutePlanner::Charge(const RouteChoice& choice, const RequestId& request,
                          std::span<const std::uint64_t> keys, Instant now) {
  const int total = choice.cached_tokens + choice.computed_tokens;
  const int page = page_tokens();
  SentWork work{.prompt_tokens = static_cast<double>(choice.computed_tokens),
                .context_tokens = static_cast<double>(total),
                .stored_tokens = static_cast<double>(choice.computed_tokens),
                .pages = static_cast<std::uint32_t>((total + page) / page)};
  const Instant until = ExpectedUntil(choice, now);
  if (choice.prefill) {
    ChargeOne(*choice.prefill, request, work, keys, until, now);
    work.prompt_tokens = 0;  // decode gets the pages
    work.stored_tokens = choice.sent_tokens;
    fleet_.Find(*choice.prefill)->peers.insert(choice.decode);
    fleet_.Find(choice.decode)->peers.insert(*choice.prefill);
  }
  ChargeOne(choice.decode, request, work, keys, until, now);
}

void RoutePlanner::ChargeOne(LinkId link, const RequestId& request, const SentWork& work,
                             std::span<const std::uint64_t> keys, Instant until, Instant now) {
  Worker& worker = *fleet_.Find(link);
  fleet_.OnSent(worker, request, work, now);
  index_.Expect(link, keys, until);
  Refresh(worker, now);
}

void RoutePlanner::Settle(LinkId link, const RequestId& request,
                          std::span<const std::uint64_t> keys, bool forget_expected) {
  const Worker* worker = fleet_.Find(link);
  if (worker == nullptr) return;
  fleet_.OnEnded(link, request);
  if (forget_expected) index_.Unexpect(link, keys);
  Refresh(*worker, heard_);
}

void RoutePlanner::SetResyncAsked(LinkId link, bool asked) {
  fleet_.Find(link)->resync_asked = asked;
}

Instant RoutePlanner::Tick(Instant now) {
  if (now >= forget_at_) {
    index_.ForgetExpired(now);
    forget_at_ = now + kForgetEvery;
  }
  if (!index_.sweeping()) return index_.expecting() ? forget_at_ : kNever;
  index_.Sweep();
  return now + kSweepEvery;
}

int RoutePlanner::page_tokens() const {
  return static_cast<int>(fleet_.workers().begin()->second.facts.page_tokens());
}

void RoutePlanner::Refresh(const Worker& worker, Instant now) {
  heard_ = now;
  const Slot slot = *index_.SlotOf(worker.link);
  RouteRow row = RowOf(worker, fleet_.CostOf(worker), options_.step_tokens_max);
  row.domain = index_.groups().groups()[slot / SlotGroups::kGroup].kind.domain;
  row.ready_until = ReadyUntil(worker);
  table_.Set(slot, row, now);
}

}  // namespace baton
