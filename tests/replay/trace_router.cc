#include "tests/replay/trace_router.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "proto/convert.h"

namespace baton {
namespace {

constexpr Duration kQueuePoll = Milliseconds(10);

}  // namespace

TraceRouter::TraceRouter(EventQueue& events, const TraceOptions& options, int number,
                         std::vector<TraceOutcome>& outcomes, Events hear)
    : events_(events),
      options_(options),
      number_(number),
      outcomes_(outcomes),
      hear_(std::move(hear)),
      planner_(options.router),
      random_(options.seed + static_cast<std::uint64_t>(number)) {}

LinkId TraceRouter::LinkOf(int worker) const { return links_[static_cast<std::size_t>(worker)]; }

int TraceRouter::WorkerOf(LinkId link) const { return lives_.at(link); }

void TraceRouter::Join(int worker, const link::Register& facts) {
  const LinkId link{static_cast<std::uint32_t>(number_) << 24 | next_link_++};
  if (links_.size() <= static_cast<std::size_t>(worker)) {
    links_.resize(static_cast<std::size_t>(worker) + 1);
  }
  links_[static_cast<std::size_t>(worker)] = link;
  lives_[link] = worker;
  BATON_CHECK(planner_.Join(link, facts, events_.now()));
}

void TraceRouter::Leave(int worker) { planner_.Leave(LinkOf(worker)); }

void TraceRouter::Hear(LinkId link, const link::WorkerMessage& message) {
  const Instant now = events_.now();
  planner_.OnHeard(link, now);
  if (message.has_load()) planner_.OnLoad(link, message.load(), now);
  if (message.has_cache_events()) planner_.OnCacheEvents(link, message.cache_events(), now);
  if (message.has_expected()) planner_.OnExpected(link, message.expected(), now);
  if (message.has_accepted()) {
    planner_.OnAccepted(link, FromProto(message.accepted().request()));
  }
  planner_.Tick(now);
  if (message.has_load()) RouteQueue();
}

RouteAsk TraceRouter::AskOf(const TracePrompt& prompt) const {
  return {.keys = prompt.keys,
          .prompt_tokens = prompt.tokens,
          .output_tokens = options_.decode > 0 ? options_.output_expected : 1,
          .avoid = {},
          .alone_allowed = options_.prefill == 0};
}

void TraceRouter::Submit(const TracePrompt& prompt) {
  live_[prompt.number] = &prompt;
  waiting_.push_back(&prompt);
  RouteQueue();
}

void TraceRouter::RouteQueue() {
  while (!waiting_.empty() && TryRoute(*waiting_.front())) waiting_.pop_front();
  if (waiting_.empty() || polling_) return;
  polling_ = true;
  events_.After(kQueuePoll, [this] {
    polling_ = false;
    RouteQueue();
  });
}

bool TraceRouter::TryRoute(const TracePrompt& prompt) {
  RouteAsk ask = AskOf(prompt);
  ask.draw = random_.Next();
  ask.turn = turns_;
  const RoutePlan plan = planner_.Plan(ask, events_.now());
  if (plan.verdict == CandidatesVerdict::kFull || plan.verdict == CandidatesVerdict::kNoWorker) {
    return false;
  }
  if (plan.choice) {
    ++turns_;
    Dispatch(prompt, *plan.choice);
  } else {  // no pool could ever hold it
    hear_.refused(prompt.number);
    live_.erase(prompt.number);
  }
  return true;
}

void TraceRouter::Dispatch(const TracePrompt& prompt, const RouteChoice& choice) {
  const Instant now = events_.now();
  TraceOutcome& outcome = outcomes_[prompt.number];
  outcome.forecast = outcome.waited(now) + choice.queue_seconds + choice.compute_seconds;
  const std::span<const std::uint64_t> keys = prompt.keys;
  planner_.Charge(choice, IdOf(prompt.number), keys, now);
  std::vector<LinkId>& charged = charged_[prompt.number];
  if (choice.prefill) charged.push_back(*choice.prefill);
  charged.push_back(choice.decode);
  hear_.dispatched({.request = prompt.number,
                    .link = choice.prefill.value_or(choice.decode),
                    .prefill = choice.prefill ? WorkerOf(*choice.prefill) : -1,
                    .decode = WorkerOf(choice.decode),
                    .prompt_tokens = prompt.tokens,
                    .output_tokens = prompt.output_tokens,
                    .keys = &prompt.keys});
}

void TraceRouter::Ended(std::size_t request) {
  const auto charged = charged_.find(request);
  if (charged != charged_.end()) {
    for (const LinkId link : charged->second) {
      planner_.Settle(link, IdOf(request), live_.at(request)->keys, /*forget_expected=*/false);
    }
    charged_.erase(charged);
  }
  live_.erase(request);
  RouteQueue();
}

}  // namespace baton
