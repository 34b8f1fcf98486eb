// A RouterCore with workers that are tables of jobs, in virtual time: no model, no pages. A token
// is a function of (request, index), so every stream can be checked; whoever is asked to continue
// continues right.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "router/router_core.h"
#include "tests/router/heard.h"
#include "tests/router/messages.h"

namespace baton {

inline TokenId OracleToken(const RequestId& id, std::size_t index) {
  return static_cast<TokenId>((id.low * 1009 + index * 31) % 50'000);
}

struct FakeWorker {
  struct Job {
    link::Sequence sequence;
    std::uint64_t peer = 0;   // incarnation; 0: none
    std::uint32_t sent = 0;   // generated tokens so far, over all attempts
    bool committed = false;   // decode: it may generate
    bool first_sent = false;  // prefill
  };
  std::string id;
  link::Role role{};
  std::uint64_t incarnation = 1;
  LinkId link{};
  bool up = false;
  std::map<std::pair<RequestId, std::uint32_t>, Job> jobs;  // by (request, attempt)
};

class FakeCluster {
 public:
  FakeCluster(const RouterOptions& options, int prefill, int decode);

  RouterCore& core() { return core_; }
  Instant now() const { return now_; }
  std::vector<FakeWorker>& workers() { return workers_; }
  FakeWorker& prefill(std::size_t i) { return workers_[i]; }
  FakeWorker& decode(std::size_t i) { return workers_[prefill_ + i]; }
  /// Everything that the core sent, in order, as text: equal runs give equal transcripts.
  const std::string& transcript() const { return transcript_; }

  void Up(FakeWorker& worker);  // with a new incarnation if it was up before
  void Down(FakeWorker& worker);
  void Wait(Duration time);  // lets time pass; ticks when due
  Heard& Submit(std::uint64_t number, int prompt_tokens, int max_tokens);
  Heard& Submit(Request request);
  void Say(const FakeWorker& worker, const link::WorkerMessage& message);

  /// One thing that this worker may do for this job: accept and first token, commit, or one token.
  void Advance(FakeWorker& worker, const std::pair<RequestId, std::uint32_t>& job);
  /// Advances every job of every worker once.
  void AdvanceAll();
  /// Until every request ended, at most `rounds` times.
  void RunToTheEnd(int rounds);

  const std::map<RequestId, Heard>& heard() const { return heard_; }

 private:
  void Deliver();
  void Handle(FakeWorker& worker, const link::RouterMessage& message);
  void AdvancePrefill(FakeWorker& worker, const RequestId& id, FakeWorker::Job& job);
  void AdvanceDecode(FakeWorker& worker, const RequestId& id, FakeWorker::Job& job);
  FakeWorker* ByIncarnation(std::uint64_t incarnation);

  RouterCore core_;
  const std::size_t prefill_;
  Instant now_{std::chrono::hours(1)};
  std::vector<FakeWorker> workers_;
  std::map<RequestId, Heard> heard_;
  std::uint32_t links_ = 0;
  std::uint64_t incarnations_ = 0;
  std::string transcript_;
};

}  // namespace baton
