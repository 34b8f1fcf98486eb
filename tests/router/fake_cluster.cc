#include "tests/router/fake_cluster.h"

#include <algorithm>

namespace baton {

FakeCluster::FakeCluster(const RouterOptions& options, int prefill, int decode)
    : core_(options), prefill_(static_cast<std::size_t>(prefill)) {
  for (int i = 0; i < prefill + decode; ++i) {
    FakeWorker worker;
    worker.role = i < prefill ? link::ROLE_PREFILL : link::ROLE_DECODE;
    worker.id =
        (i < prefill ? "prefill-" : "decode-") + std::to_string(i < prefill ? i : i - prefill);
    workers_.push_back(worker);
  }
  for (FakeWorker& worker : workers_) Up(worker);
}

void FakeCluster::Up(FakeWorker& worker) {
  worker.up = true;
  worker.link = LinkId{links_++};
  worker.incarnation = ++incarnations_;
  core_.OnLinkUp(worker.link, RegisterOf(worker.id, worker.role, worker.incarnation), now_);
  Deliver();
}

void FakeCluster::Down(FakeWorker& worker) {
  worker.up = false;
  worker.jobs.clear();
  core_.OnLinkLost(worker.link, now_);
  Deliver();
}

void FakeCluster::Wait(Duration time) {
  const Instant end = now_ + time;
  for (;;) {
    const Instant due = core_.Tick(now_);
    Deliver();
    if (now_ >= end) return;
    now_ = std::clamp(due, now_ + Duration(1), end);
  }
}

Heard& FakeCluster::Submit(std::uint64_t number, int prompt_tokens, int max_tokens) {
  Request request;
  request.id = {0, number};
  for (int i = 0; i < prompt_tokens; ++i) request.prompt.push_back(static_cast<TokenId>(i));
  request.stop.max_tokens = max_tokens;
  return Submit(std::move(request));
}

Heard& FakeCluster::Submit(Request request) {
  Heard& heard = heard_[request.id];
  core_.Submit(std::move(request), Hearing(heard), now_);
  Deliver();
  return heard;
}

void FakeCluster::Say(const FakeWorker& worker, const link::WorkerMessage& message) {
  core_.OnMessage(worker.link, message, now_);
  Deliver();
}

void FakeCluster::Deliver() {
  core_.Tick(now_);
  for (const RouterOutput& output : core_.TakeOutputs()) {
    transcript_ +=
        std::to_string(Index(output.link)) + " " + output.message.ShortDebugString() + "\n";
    for (FakeWorker& worker : workers_) {
      if (worker.up && worker.link == output.link) Handle(worker, output.message);
    }
  }
}

void FakeCluster::Handle(FakeWorker& worker, const link::RouterMessage& message) {
  const bool prefill = message.has_prefill();
  if (prefill || message.has_decode()) {
    const link::Sequence& sequence =
        prefill ? message.prefill().sequence() : message.decode().sequence();
    FakeWorker::Job job;
    job.sequence = sequence;
    job.peer = prefill ? message.prefill().decode().incarnation()
                       : message.decode().prefill().incarnation();
    job.sent = static_cast<std::uint32_t>(sequence.tokens_size()) - sequence.prompt_tokens();
    job.committed = !prefill && job.peer == 0;
    worker.jobs[{FromProto(sequence.request()), sequence.attempt()}] = job;
  } else if (message.has_cancel()) {
    worker.jobs.erase({FromProto(message.cancel().request()), message.cancel().attempt()});
  }
}

FakeWorker* FakeCluster::ByIncarnation(std::uint64_t incarnation) {
  for (FakeWorker& worker : workers_) {
    if (worker.up && worker.incarnation == incarnation) return &worker;
  }
  return nullptr;
}

void FakeCluster::Advance(FakeWorker& worker, const std::pair<RequestId, std::uint32_t>& key) {
  const auto found = worker.jobs.find(key);
  if (!worker.up || found == worker.jobs.end()) return;
  if (worker.role == link::ROLE_PREFILL) {
    AdvancePrefill(worker, key.first, found->second);
  } else {
    AdvanceDecode(worker, key.first, found->second);
  }
}

void FakeCluster::AdvancePrefill(FakeWorker& worker, const RequestId& id, FakeWorker::Job& job) {
  const std::uint32_t attempt = job.sequence.attempt();
  if (!job.first_sent) {
    job.first_sent = true;
    const bool last = job.sent + 1 >= static_cast<std::uint32_t>(job.sequence.stop().max_tokens());
    const auto tokens = TokensOf(id, attempt, job.sent, {OracleToken(id, job.sent)},
                                 last ? FinishReason::kLength : FinishReason::kNone);
    if (last) worker.jobs.erase({id, attempt});
    Say(worker, MessageOf(AcceptedOf(id, attempt, 0)));
    return Say(worker, MessageOf(tokens));
  }
  FakeWorker* peer = ByIncarnation(job.peer);
  const auto other =
      peer == nullptr ? decltype(peer->jobs.end()){} : peer->jobs.find({id, attempt});
  const bool commits = peer != nullptr && other != peer->jobs.end();
  if (commits) other->second.committed = true;
  worker.jobs.erase({id, attempt});
  if (commits) return Say(worker, MessageOf(ReportOf(id, attempt, "committed")));
  Say(worker, MessageOf(FailedOf(id, attempt, link::FAIL_PEER_LOST, true)));
}

void FakeCluster::AdvanceDecode(FakeWorker& worker, const RequestId& id, FakeWorker::Job& job) {
  if (!job.committed) return;
  const std::uint32_t attempt = job.sequence.attempt();
  const std::uint32_t index = job.sent++;
  const bool last = job.sent >= static_cast<std::uint32_t>(job.sequence.stop().max_tokens());
  if (last) worker.jobs.erase({id, attempt});
  Say(worker, MessageOf(TokensOf(id, attempt, index, {OracleToken(id, index)},
                                 last ? FinishReason::kLength : FinishReason::kNone)));
}

void FakeCluster::AdvanceAll() {
  for (FakeWorker& worker : workers_) {
    std::vector<std::pair<RequestId, std::uint32_t>> keys;
    for (const auto& [key, job] : worker.jobs) keys.push_back(key);
    for (const auto& key : keys) Advance(worker, key);
  }
}

void FakeCluster::RunToTheEnd(int rounds) {
  const auto ended = [this] {
    return std::all_of(heard_.begin(), heard_.end(),
                       [](const auto& entry) { return entry.second.ends > 0; });
  };
  for (int i = 0; i < rounds && !ended(); ++i) {
    AdvanceAll();
    Wait(Milliseconds(20));
  }
}

}  // namespace baton
