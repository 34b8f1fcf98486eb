#include "server/roles/route_thread.h"

#include <algorithm>

#include "base/log.h"

namespace baton {
namespace {

constexpr std::size_t kInputsMax = 65'536;
constexpr Duration kRoundMax = std::chrono::seconds(1);  // the longest wait between two rounds
constexpr Duration kAliveWithin = std::chrono::seconds(10);

Instant Now() { return std::chrono::steady_clock::now(); }

}  // namespace

RouteThread::RouteThread(const RouterOptions& options, Metrics& metrics)
    : core_(options),
      route_seconds_(metrics.Histogram(metric::kRouteSeconds)),
      inputs_(kInputsMax) {}

RouteThread::~RouteThread() { Stop(); }

RouterLinkSink RouteThread::Sink() {
  return [this](RouterLinkEvent&& event) {
    Input input(std::move(event));
    if (inputs_.TryPush(std::move(input))) return true;
    event = std::move(std::get<RouterLinkEvent>(input));
    return false;
  };
}

void RouteThread::Start(LinkService& links) {
  links_ = &links;
  last_round_ns_.store(Now().time_since_epoch().count(), std::memory_order_relaxed);
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void RouteThread::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  inputs_.Ring();
  thread_.join();
}

void RouteThread::StartDrain() {
  drain_asked_.store(true, std::memory_order_relaxed);
  inputs_.Ring();
}

bool RouteThread::alive() const {
  const Instant last{Duration(last_round_ns_.load(std::memory_order_relaxed))};
  return Now() - last < kAliveWithin;
}

RouterStats RouteThread::stats() const {
  std::lock_guard lock(mutex_);
  return snapshot_.stats;
}

void RouteThread::Submit(Request request, std::unique_ptr<ResponseObserver> observer) {
  Input input(SubmitInput{std::move(request), std::move(observer)});
  if (inputs_.TryPush(std::move(input))) return;
  // Not told from here: a door may hold a lock that its observer wants.
  {
    std::lock_guard lock(mutex_);
    turned_away_.push_back(std::move(std::get<SubmitInput>(input).observer));
  }
  inputs_.Ring();
}

void RouteThread::TurnAway() {
  std::vector<std::unique_ptr<ResponseObserver>> observers;
  {
    std::lock_guard lock(mutex_);
    observers.swap(turned_away_);
  }
  for (const auto& observer : observers) {
    observer->OnFailed(absl::ResourceExhaustedError("the router's queue is full"), "queue_full");
  }
}

void RouteThread::Cancel(RequestId id, CancelReason reason) {
  if (!inputs_.TryPush(CancelInput{id, reason == CancelReason::kAnswered}))
    BATON_WARN("request %s: cancel lost, queue full", id.ToString());
}

std::optional<ServedModel> RouteThread::model() const {
  std::lock_guard lock(mutex_);
  return snapshot_.model;
}

bool RouteThread::had_worker() const {
  std::lock_guard lock(mutex_);
  return had_worker_;
}

bool RouteThread::ready() const {
  std::lock_guard lock(mutex_);
  return snapshot_.ready;
}

void RouteThread::Run(const std::stop_token& stop) {
  std::vector<Input> inputs;
  while (!stop.stop_requested()) {
    inputs.clear();
    inputs_.DrainTo(inputs);
    const Instant now = Now();
    for (Input& input : inputs) Apply(input, now);
    if (drain_asked_.load(std::memory_order_relaxed)) core_.StartDrain();
    TurnAway();
    const Instant due = core_.Tick(now);
    Flush();
    Publish(now);
    inputs_.WaitUntil(std::min(due, now + kRoundMax));
  }
}

void RouteThread::Apply(Input& input, Instant now) {
  if (auto* submit = std::get_if<SubmitInput>(&input)) {
    const Instant start = Now();
    core_.Submit(std::move(submit->request), std::move(submit->observer), now);
    route_seconds_.Observe(ToSeconds(Now() - start));
  } else if (auto* cancel = std::get_if<CancelInput>(&input)) {
    core_.Cancel(cancel->id, cancel->answered);
  } else if (auto* event = std::get_if<RouterLinkEvent>(&input)) {
    ApplyLink(*event, now);
  }
}

void RouteThread::ApplyLink(RouterLinkEvent& event, Instant now) {
  switch (event.kind) {
    case LinkEventKind::kUp:
      core_.OnLinkUp(event.link, event.message.register_(), now);
      return;
    case LinkEventKind::kMessage:
      core_.OnMessage(event.link, event.message, now);
      return;
    case LinkEventKind::kLost:
      core_.OnLinkLost(event.link, now);
      return;
  }
}

void RouteThread::Flush() {
  for (RouterOutput& output : core_.TakeOutputs()) {
    links_->Send(output.link, std::move(output.message));
  }
  for (const RouterNote& note : core_.TakeNotes()) {
    if (note.degraded) {
      BATON_WARN("%s", note.text);
    } else {
      BATON_INFO("%s", note.text);
    }
  }
}

void RouteThread::Publish(Instant now) {
  last_round_ns_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  Snapshot snapshot{core_.Model(), core_.Ready(now), core_.Stats(now)};
  drained_.store(core_.Drained(), std::memory_order_release);
  std::lock_guard lock(mutex_);
  had_worker_ |= snapshot.model.has_value();
  snapshot_ = std::move(snapshot);
}

}  // namespace baton
