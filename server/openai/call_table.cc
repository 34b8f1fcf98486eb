#include "server/openai/call_table.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace baton {
namespace {

constexpr Duration kTickMax = std::chrono::seconds(1);

Instant Now() { return std::chrono::steady_clock::now(); }

}  // namespace

CallTable::CallTable(HttpServer& server, const DoorMetrics& metrics, Duration comment_period,
                     std::size_t calls_max)
    : metrics_(metrics),
      comment_period_(comment_period),
      calls_max_(calls_max),
      inbox_([this, &server] { server.Post([this] { Deliver(); }); }) {
  server.Every(std::min(kTickMax, comment_period), [this](Instant now) { Tick(now); });
}

void CallTable::Run(std::uint64_t number, std::unique_ptr<Generation> generation,
                    StreamSink* stream, GenerationPlan plan) {
  Call& call = calls_[number];
  call.generation = std::move(generation);
  call.stream = stream;
  call.silent_since = Now();
  call.generation->Submit(std::move(plan),
                          [this, number](int choice) { return inbox_.Observe(number, choice); });
}

void CallTable::Abandon(std::uint64_t number) {
  const auto it = calls_.find(number);
  if (it == calls_.end()) return;
  it->second.generation->Abandon(Now());
  calls_.erase(it);
}

void CallTable::FailAll(const HttpError& error) {
  for (auto& [number, call] : calls_) call.generation->FailWith(error);
  calls_.clear();
}

void CallTable::Deliver() {
  inbox_.Drain(events_);
  for (const AnswerEvent& event : events_) DeliverOne(event);
}

void CallTable::DeliverOne(const AnswerEvent& event) {
  const auto it = calls_.find(event.call);
  if (it == calls_.end()) return;  // ended or abandoned: late news are nobody's
  Call& call = it->second;
  if (!event.prompt.empty()) call.generation->OnPromptLogprobs(event.choice, event.prompt);
  if (!event.tokens.empty()) {
    call.has_token = true;
    call.generation->OnTokens(event.choice, event.tokens, event.received_at);
    metrics_.chunk.Observe(ToSeconds(Now() - event.received_at));
  }
  if (event.end != nullptr) {
    call.generation->OnEnd(event.choice, *event.end, event.received_at);
  }
  if (call.generation->done()) calls_.erase(it);
}

void CallTable::Tick(Instant now) {
  for (auto& [number, call] : calls_) {
    if (call.stream == nullptr || call.has_token) continue;
    if (now - call.silent_since < comment_period_) continue;
    call.silent_since = now;
    call.stream->SayWaiting();
  }
}

}  // namespace baton
