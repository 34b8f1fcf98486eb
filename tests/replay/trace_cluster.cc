#include "tests/replay/trace_cluster.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "proto/convert.h"

namespace baton {
namespace {

constexpr double kGiveUpSeconds = 24 * 3600;  // of virtual time: what is open then is lost
constexpr Duration kCommit = Milliseconds(1);
constexpr std::uint32_t kBoundless = 1U << 30;

}  // namespace

RouterOptions TraceCluster::RoutedBy(const TraceOptions& options) {
  RouterOptions router = options.router;
  router.heartbeat = std::chrono::hours(48);  // nobody falls silent
  router.step_tokens_max = options.step_tokens_max;
  if (options.decode == 0) router.local_prefill_tokens_max = 0;
  router.seed = options.seed;
  return router;
}

TraceCluster::TraceCluster(const TraceOptions& options, const Trace& trace)
    : options_([&options] {
        TraceOptions routed = options;
        routed.router = RoutedBy(options);
        return routed;
      }()),
      start_(events_.now()),
      outcomes_(trace.size()) {
  prompts_.reserve(trace.size());
  for (std::size_t i = 0; i < trace.size(); ++i) {
    prompts_.push_back({.number = i,
                        .keys = TraceKeys(trace[i], options_.page_tokens),
                        .tokens = trace[i].input_tokens,
                        .output_tokens = trace[i].output_tokens});
    TraceOutcome& outcome = outcomes_[i];
    outcome.arrived = trace[i].seconds;
    outcome.input_tokens = trace[i].input_tokens;
    outcome.output_tokens = trace[i].output_tokens;
    outcome.own_prefill =
        PrefillSeconds(options_.prefill_cost, 0, trace[i].input_tokens, options_.step_tokens_max);
    outcome.submitted = start_ + TraceDuration(trace[i].seconds);
    events_.At(outcome.submitted, [this, i] { Arrive(i); });
  }
  open_ = trace.size();
  AddRouters();
  AddWorkers();
}

void TraceCluster::AddRouters() {
  for (int r = 0; r < options_.routers; ++r) {
    routers_.push_back(std::make_unique<TraceRouter>(
        events_, options_, r, outcomes_,
        TraceRouter::Events{
            .dispatched = [this, r](const TraceJob& job) { Dispatched(r, job); },
            .refused =
                [this](std::size_t request) { End(request, TraceOutcome::End::kRefused); }}));
  }
}

link::Register TraceCluster::FactsOf(int worker, bool decode) const {
  link::Register facts;
  facts.set_worker_id((decode ? "decode-" : "prefill-") + std::to_string(worker));
  facts.set_incarnation(static_cast<std::uint64_t>(worker) + 1);
  facts.set_role(decode ? link::ROLE_DECODE : link::ROLE_PREFILL);
  const bool boundless = decode && prefill_only();
  facts.set_pages(boundless ? kBoundless
                            : (decode ? options_.decode_pages : options_.prefill_pages));
  facts.set_page_tokens(static_cast<std::uint32_t>(options_.page_tokens));
  return facts;
}

void TraceCluster::JoinAll(int worker, const link::Register& facts) {
  for (const auto& router : routers_) router->Join(worker, facts);
}

// A link's number holds its router's.
TraceWorker::Say TraceCluster::SayOf() {
  return [this](LinkId link, const link::WorkerMessage& message) {
    if (message.has_register_()) return;  // joined by hand
    events_.After(options_.message_delay,
                  [this, link, message] { routers_[Index(link) >> 24]->Hear(link, message); });
  };
}

void TraceCluster::Wire(int worker, TraceWorker& to) {
  for (const auto& router : routers_) {
    to.OnLink(router->LinkOf(worker));
    to.OnWelcome(router->LinkOf(worker));
  }
}

void TraceCluster::AddWorkers() {
  for (int w = 0; w < options_.prefill; ++w) {
    const link::Register facts = FactsOf(w, /*decode=*/false);
    JoinAll(w, facts);
    const auto which = static_cast<std::size_t>(w);
    const double speed = options_.speeds.empty() ? 1 : options_.speeds[which];
    prefill_.push_back(std::make_unique<TracePrefill>(
        events_, options_, facts, speed, SayOf(),
        TracePrefill::Events{
            .begun = [this](const TraceJob& job) { Begun(job); },
            .pages_ready = [this](const TraceJob& job, int pages) { PagesReady(job, pages); },
            .done = [this](const TraceJob& job, int cached) { FirstToken(job, cached); }}));
    Wire(w, prefill_.back()->worker());
    prefill_.back()->Publish();
  }
  for (int d = 0; d < std::max(1, options_.decode); ++d) {
    const int worker = options_.prefill + d;
    const link::Register facts = FactsOf(worker, /*decode=*/true);
    JoinAll(worker, facts);
    if (prefill_only()) {
      // Nobody decodes: a worker that costs nothing.
      link::WorkerMessage message;
      message.mutable_load()->set_number(1);
      message.mutable_load()->set_free_pages(kBoundless);
      message.mutable_load()->set_step_seconds_fixed(1e-12);
      for (const auto& router : routers_) router->Hear(router->LinkOf(worker), message);
      continue;
    }
    decode_.push_back(std::make_unique<TraceDecode>(
        events_, options_, facts, SayOf(),
        TraceDecode::Events{
            .granted = [this](const TraceJob& job, int lacking) { Granted(job, lacking); },
            .first = [this](const TraceJob& job, int cached) { FirstToken(job, cached); },
            .finished = [this](const TraceJob& job, double itl_max,
                               double itl_mean) { Finished(job, itl_max, itl_mean); }}));
    Wire(worker, decode_.back()->worker());
    decode_.back()->Publish();
  }
}

void TraceCluster::Arrive(std::size_t request) {
  const std::size_t router = request % routers_.size();
  outcomes_[request].router = static_cast<int>(router);
  routers_[router]->Submit(prompts_[request]);
}

void TraceCluster::Dispatched(int router, const TraceJob& job) {
  TraceOutcome& outcome = outcomes_[job.request];
  outcome.router = router;
  outcome.prefill = job.prefill;
  outcome.decode = job.decode - options_.prefill;
  events_.After(options_.message_delay, [this, job] {
    if (job.prefill >= 0) {
      prefill_[static_cast<std::size_t>(job.prefill)]->Accept(job);
    } else {
      decode_[static_cast<std::size_t>(job.decode - options_.prefill)]->Accept(job);
    }
  });
}

void TraceCluster::Begun(const TraceJob& job) {
  link::WorkerMessage accepted;
  ToProto(RequestId{0, job.request + 1}, accepted.mutable_accepted()->mutable_request());
  prefill_[static_cast<std::size_t>(job.prefill)]->worker().Tell(job.link, std::move(accepted));
  if (prefill_only()) return;
  handoffs_[job.request] = {.job = job, .wire_free = events_.now()};
  events_.After(options_.message_delay, [this, job] {
    decode_[static_cast<std::size_t>(job.decode - options_.prefill)]->Offer(job);
  });
}

void TraceCluster::Granted(const TraceJob& job, int lacking) {
  events_.After(options_.message_delay, [this, request = job.request, lacking] {
    Handoff& handoff = handoffs_.at(request);
    handoff.granted = true;
    handoff.lacking = lacking;
    Push(request);
  });
}

void TraceCluster::PagesReady(const TraceJob& job, int pages) {
  if (prefill_only()) return;
  handoffs_.at(job.request).ready = pages;
  Push(job.request);
}

void TraceCluster::FirstToken(const TraceJob& job, int cached_tokens) {
  TraceOutcome& outcome = outcomes_[job.request];
  outcome.ttft = outcome.waited(events_.now() + options_.message_delay);
  outcome.cached_tokens = cached_tokens;
  if (job.prefill < 0) return;
  if (prefill_only()) {
    prefill_[static_cast<std::size_t>(job.prefill)]->Release(job.request);
    return End(job.request, TraceOutcome::End::kServed);
  }
  handoffs_.at(job.request).computed = true;
  Push(job.request);
}

// Pages that are ready and wanted go out behind those before them; the commit behind all.
void TraceCluster::Push(std::size_t request) {
  Handoff& handoff = handoffs_.at(request);
  if (!handoff.granted || handoff.committed) return;
  const int pages = (handoff.job.prompt_tokens + options_.page_tokens - 1) / options_.page_tokens;
  const int held = pages - handoff.lacking;
  const int ready = std::max(0, handoff.ready - held);
  const double seconds =
      (ready - handoff.sent) * options_.page_bytes / options_.link_bytes_per_second;
  handoff.sent = ready;
  handoff.wire_free = std::max(handoff.wire_free, events_.now()) + TraceDuration(seconds);
  if (!handoff.computed) return;
  handoff.committed = true;
  events_.At(handoff.wire_free + kCommit, [this, request] {
    const TraceJob job = handoffs_.at(request).job;
    handoffs_.erase(request);
    prefill_[static_cast<std::size_t>(job.prefill)]->Release(request);
    prefill_[static_cast<std::size_t>(job.prefill)]->Publish();
    decode_[static_cast<std::size_t>(job.decode - options_.prefill)]->Commit(request);
  });
}

void TraceCluster::Finished(const TraceJob& job, double itl_max, double itl_mean) {
  outcomes_[job.request].itl_max = itl_max;
  outcomes_[job.request].itl_mean = itl_mean;
  End(job.request, TraceOutcome::End::kServed);
}

void TraceCluster::End(std::size_t request, TraceOutcome::End how) {
  TraceOutcome& outcome = outcomes_[request];
  BATON_CHECK(outcome.end == TraceOutcome::End::kOpen);  // each ends once
  outcome.end = how;
  outcome.finished = ToSeconds(events_.now() - start_);
  --open_;
  if (how == TraceOutcome::End::kServed) {
    events_.After(options_.message_delay, [this, request, router = outcome.router] {
      routers_[static_cast<std::size_t>(router)]->Ended(request);
    });
  }
}

TraceRun TraceCluster::Run() {
  const Instant end = start_ + TraceDuration(kGiveUpSeconds);
  while (open_ > 0 && events_.RunOne(end)) {
  }
  TraceRun run;
  run.seconds = ToSeconds(events_.now() - start_);
  for (TraceOutcome& outcome : outcomes_) {
    if (outcome.end == TraceOutcome::End::kOpen) outcome.end = TraceOutcome::End::kLost;
  }
  run.outcomes = std::move(outcomes_);
  for (const auto& worker : prefill_) run.prefill_busy.push_back(worker->busy_seconds());
  for (const auto& worker : decode_) run.decode_busy.push_back(worker->busy_seconds());
  return run;
}

}  // namespace baton
