#include "router/router_core.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/convert.h"

namespace baton {
namespace {

constexpr std::size_t kNotesMax = 256;
constexpr double kFirstOutputTokensMean = 128;     // until answers have ended
constexpr Duration kQueuePoll = Milliseconds(10);  // backlogs drain without a message

const char* RoleName(const link::Register& facts) {
  return facts.role() == link::ROLE_PREFILL ? "prefill" : "decode";
}

const char* StateName(WorkerState state) {
  switch (state) {
    case WorkerState::kReady:
      return "ready";
    case WorkerState::kDraining:
      return "draining";
    case WorkerState::kSuspect:
      return "suspect";
  }
  return "unknown";
}

}  // namespace

RouterCore::RouterCore(const RouterOptions& options)
    : options_(options),
      planner_(options),
      random_(options.seed),
      output_tokens_mean_(kFirstOutputTokensMean) {}

RouterCore::~RouterCore() = default;

void RouterCore::OnLinkUp(LinkId link, const link::Register& facts, Instant now) {
  const Fleet& fleet = planner_.fleet();
  if (fleet.Find(link) != nullptr) return;
  if (const absl::Status status = fleet.Check(facts); !status.ok()) return Refuse(link, status);
  if (IsTaken(facts, now)) {
    return Refuse(link, absl::AlreadyExistsError(absl::StrFormat(
                            "a live worker has the id %s already: give each worker its own "
                            "server.worker_id",
                            facts.worker_id())));
  }
  if (const std::optional<LinkId> old = fleet.LinkOf(facts.worker_id())) {
    Refuse(*old, absl::AbortedError("the worker registered anew on another stream"));
    Lose(*old, "it registered anew", now);
  }
  if (!planner_.Join(link, facts, now)) {
    return Refuse(link, absl::ResourceExhaustedError(
                            "this router's index holds as many workers as it can: add a router"));
  }
  link::RouterMessage welcome;
  welcome.mutable_welcome()->set_router_incarnation(options_.incarnation);
  welcome.mutable_welcome()->set_heartbeat_ms(static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.heartbeat).count()));
  outbox_.push_back({link, std::move(welcome)});
  AskResync(link);  // what it cached before this link came up
  if (facts.role() == link::ROLE_PREFILL) prefill_seen_ = true;
  if (facts.role() == link::ROLE_DECODE && !decode_since_) decode_since_ = now;
  Note(absl::StrFormat("%s worker %s registered: %u pages of %u tokens", RoleName(facts),
                       facts.worker_id(), facts.pages(), facts.page_tokens()));
}

// Another life under the same id, while the first is still heard: two that evict each other would
// serve nobody. One that restarted is let in when its old stream is gone or silent.
bool RouterCore::IsTaken(const link::Register& facts, Instant now) const {
  const std::optional<LinkId> old = planner_.fleet().LinkOf(facts.worker_id());
  if (!old) return false;
  const Worker& worker = *planner_.fleet().Find(*old);
  return worker.facts.incarnation() != facts.incarnation() &&
         now - worker.heard_at <= options_.heartbeat;
}

void RouterCore::Refuse(LinkId link, const absl::Status& why) {
  link::RouterMessage refused;
  refused.mutable_refused()->set_message(std::string(why.message()));
  outbox_.push_back({link, std::move(refused)});
  Note(absl::StrFormat("refused a worker: %s", std::string(why.message())), /*degraded=*/true);
}

void RouterCore::OnLinkLost(LinkId link, Instant now) {
  const Worker* worker = planner_.fleet().Find(link);
  const bool in_order = worker != nullptr && worker->load.draining();
  Lose(link, in_order ? "" : "its stream broke", now);
}

// An empty `why`: it drained and left.
void RouterCore::Lose(LinkId link, const std::string& why, Instant now) {
  const Worker* worker = planner_.fleet().Find(link);
  if (worker == nullptr) return;
  link::RouterMessage verdict;
  verdict.mutable_verdict()->set_worker_id(worker->facts.worker_id());
  verdict.mutable_verdict()->set_incarnation(worker->facts.incarnation());
  for (const LinkId peer : worker->peers) outbox_.push_back({peer, verdict});
  const std::string what = why.empty() ? "left" : absl::StrCat("is lost: ", why);
  Note(absl::StrFormat("%s worker %s %s", RoleName(worker->facts), worker->facts.worker_id(), what),
       /*degraded=*/!why.empty());
  planner_.Leave(link);
  for (const RequestId& id : live_.All()) {
    WithFlow(id, [&](RequestFlow& flow) { flow.OnWorkerLost(link, now, outbox_); });
  }
}

void RouterCore::OnMessage(LinkId link, const link::WorkerMessage& message, Instant now) {
  const Worker* worker = planner_.fleet().Find(link);
  if (worker == nullptr) return;
  planner_.OnHeard(link, now);
  switch (message.kind_case()) {
    case link::WorkerMessage::kLoad:
      return OnLoad(*worker, message.load(), now);
    case link::WorkerMessage::kCacheEvents:
      return OnCacheEvents(*worker, message.cache_events(), now);
    case link::WorkerMessage::kTokens:
      for (const link::SequenceTokens& tokens : message.tokens().sequences()) {
        WithFlow(FromProto(tokens.request()),
                 [&](RequestFlow& flow) { flow.OnTokens(link, tokens, now, outbox_); });
      }
      return;
    case link::WorkerMessage::kAccepted:
      return OnAccepted(link, message.accepted());
    case link::WorkerMessage::kFailed:
      return WithFlow(FromProto(message.failed().request()), [&](RequestFlow& flow) {
        flow.OnFailed(link, message.failed(), now, outbox_);
      });
    case link::WorkerMessage::kPromptLogprobs:
      return WithFlow(FromProto(message.prompt_logprobs().request()), [&](RequestFlow& flow) {
        flow.OnPromptLogprobs(link, message.prompt_logprobs(), now, outbox_);
      });
    case link::WorkerMessage::kHandoff:
      return OnReport(link, message.handoff());
    case link::WorkerMessage::kExpected:
      return planner_.OnExpected(link, message.expected(), now);
    case link::WorkerMessage::kRegister:
    case link::WorkerMessage::KIND_NOT_SET:
      return;
  }
}

void RouterCore::OnLoad(const Worker& worker, const link::Load& load, Instant now) {
  const bool drained_before = worker.load.draining();
  planner_.OnLoad(worker.link, load, now);
  if (worker.load.draining() && !drained_before) {
    Note(absl::StrFormat("%s worker %s drains", RoleName(worker.facts), worker.facts.worker_id()));
  }
}

void RouterCore::OnCacheEvents(const Worker& worker, const link::CacheEvents& events, Instant now) {
  if (events.snapshot()) planner_.SetResyncAsked(worker.link, false);
  const EventsVerdict verdict = planner_.OnCacheEvents(worker.link, events, now);
  if (verdict != EventsVerdict::kGap || worker.resync_asked) return;
  ++stats_.event_gaps;
  AskResync(worker.link);
}

void RouterCore::AskResync(LinkId link) {
  planner_.SetResyncAsked(link, true);
  link::RouterMessage resync;
  resync.mutable_resync();
  outbox_.push_back({link, std::move(resync)});
}

void RouterCore::OnAccepted(LinkId link, const link::JobAccepted& accepted) {
  const RequestId id = FromProto(accepted.request());
  LiveRequest* live = live_.Find(id);
  if (live == nullptr || accepted.attempt() != live->flow->attempt()) return;
  planner_.OnAccepted(link, id);
  if (live->flow->OnAccepted(link, accepted)) stats_.realised_tokens += accepted.cached_tokens();
}

void RouterCore::OnReport(LinkId link, const link::HandoffReport& report) {
  const LiveRequest* live = live_.Find(FromProto(report.request()));
  if (live == nullptr) return;
  if (!live->charged.empty()) planner_.OnReport(link, live->charged.back(), report);
  WithFlow(FromProto(report.request()), [&](RequestFlow& flow) { flow.OnReport(link, report); });
}

Instant RouterCore::Tick(Instant now) {
  LoseSilent(now);
  for (const RequestId& id : live_.DueAt(now)) {
    WithFlow(id, [&](RequestFlow& flow) { flow.OnTimer(now, outbox_); });
  }
  RouteQueue(now);
  Instant due = std::min(live_.NextDue(), planner_.Tick(now));
  if (live_.queued() > 0) due = std::min(due, now + kQueuePoll);
  if (decode_since_ && !AloneAllowed(now)) {
    due = std::min(due, *decode_since_ + options_.alone_after);
  }
  for (const auto& [link, worker] : planner_.fleet().workers()) {
    due = std::min(due, worker.heard_at + options_.worker_ttl);
  }
  return due;
}

void RouterCore::LoseSilent(Instant now) {
  std::vector<LinkId> silent;
  for (const auto& [link, worker] : planner_.fleet().workers()) {
    if (now - worker.heard_at >= options_.worker_ttl) silent.push_back(link);
  }
  for (const LinkId link : silent) {
    Refuse(link, absl::UnavailableError("silent for router.worker_ttl_seconds"));
    Lose(link, "it was silent too long", now);
  }
}

std::vector<RouterOutput> RouterCore::TakeOutputs() { return std::exchange(outbox_, {}); }

std::vector<RouterNote> RouterCore::TakeNotes() { return std::exchange(notes_, {}); }

void RouterCore::Note(std::string line, bool degraded) {
  if (notes_.size() < kNotesMax) notes_.push_back({std::move(line), degraded});
}

// A request goes to any pair: its length is what the smallest pool can hold of it, even empty.
std::optional<ServedModel> RouterCore::Model() const {
  if (planner_.fleet().empty()) return std::nullopt;
  const link::Register& facts = planner_.fleet().workers().begin()->second.facts;
  const link::ModelFacts& model = facts.model();
  std::int64_t length = model.length_tokens_max();
  for (const auto& [link, worker] : planner_.fleet().workers()) {
    length = std::min(length, std::int64_t{worker.facts.pages()} * worker.facts.page_tokens());
  }
  return ServedModel{.name = model.name(),
                     .vocab_size = model.vocab_size(),
                     .ids_with_text = model.ids_with_text(),
                     .length_tokens_max = static_cast<int>(length),
                     .page_tokens = static_cast<int>(facts.page_tokens()),
                     .end_tokens = {model.end_tokens().begin(), model.end_tokens().end()}};
}

RouterStats RouterCore::Stats(Instant now) const {
  RouterStats stats = stats_;
  stats.index_pages = planner_.index().pages();
  stats.index_expected = planner_.index().expected();
  stats.index_bytes = planner_.index().bytes();
  stats.index_pages_refused = planner_.index().pages_refused();
  stats.live_requests = static_cast<int>(live_.size());
  stats.queued_requests = static_cast<int>(live_.queued());
  for (const auto& [link, worker] : planner_.fleet().workers()) {
    ++stats.workers[absl::StrFormat("%s %s", RoleName(worker.facts),
                                    StateName(planner_.fleet().StateOf(worker, now)))];
  }
  return stats;
}

}  // namespace baton
