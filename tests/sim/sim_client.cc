#include "tests/sim/sim_client.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "tests/sim/hash_model.h"

namespace baton {
namespace {

/// A round of its router, and what a clock may be wrong by in a request's time.
constexpr Duration kDeadlineGrace = Milliseconds(50);

/// Errors that a cluster without a fault may answer with: it says that it is full.
bool IsHonestRefusal(const std::string& code) { return code == "queue_full"; }

class SimObserver : public ResponseObserver {
 public:
  SimObserver(SimClient& client, EventQueue& events, const SimViolation& violation)
      : client_(client), events_(events), violation_(violation) {}

  void OnPromptLogprobs(const std::vector<PromptLogprob>& tokens) override {
    if (client_.ends > 0 || !client_.heard.empty()) Wrong("logprobs of the prompt came too late");
    for (const PromptLogprob& token : tokens) {
      const std::size_t place = client_.heard_prompt.size();
      client_.heard_prompt.push_back(token);
      events_.Trace("prompt", Number(), static_cast<std::uint64_t>(token.rank));
      const bool right =
          place < client_.expected_prompt.size() && token == client_.expected_prompt[place];
      if (!right) Wrong(absl::StrFormat("logprob %d of the prompt is not the oracle's", place));
    }
  }

  void OnTokens(const std::vector<TokenOutput>& tokens) override {
    if (client_.ends > 0) Wrong("a token after the end");
    if (client_.heard_prompt.size() != client_.expected_prompt.size()) {
      Wrong("a token before all logprobs of the prompt");
    }
    for (const TokenOutput& token : tokens) {
      const std::size_t place = client_.heard.size();
      client_.heard.push_back(token);
      events_.Trace("token", Number(), static_cast<std::uint64_t>(token.token));
      if (!IsOracles(place, token)) Wrong(absl::StrFormat("token %d is not the oracle's", place));
    }
  }

  void OnFinished(FinishReason reason, const RequestUsage& usage, const HandoffBudget&) override {
    End(1);
    client_.finished = true;
    const std::size_t whole = client_.expected.size();
    if (client_.heard.size() != whole) {
      Wrong(absl::StrFormat("finished after %d of %d tokens", client_.heard.size(), whole));
    }
    const TokenId last = client_.expected.back().token;
    if (reason != client_.request.stop.After(static_cast<int>(whole), last)) {
      Wrong("finished for another reason than the oracle");
    }
    const int prompt = static_cast<int>(client_.request.prompt.size());
    // All of them: of a retry, whose first attempt has left them.
    if (usage.cached_tokens < 0 || usage.cached_tokens > prompt) {
      Wrong(absl::StrFormat("%d cached tokens of %d", usage.cached_tokens, prompt));
    }
    if (client_.must_be_cold && usage.cached_tokens > 0) Wrong("another tenant's pages were hit");
  }

  void OnFailed(const absl::Status& status, const std::string& code) override {
    End(0);
    client_.code = code;
    if (client_.cancelled) return;
    // Every request fits, and nothing that breaks takes as long as a request has time.
    const bool late = code == "deadline" && !client_.hurried;
    const bool never = code == "context_length_exceeded" || late;
    if (never || (client_.must_finish && !IsHonestRefusal(code))) {
      Wrong(absl::StrFormat("failed (%s) without a reason: %s", code, status.ToString()));
    }
  }

 private:
  bool IsOracles(std::size_t place, const TokenOutput& token) const {
    if (place >= client_.expected.size()) return false;
    // Without logprobs the decode worker may repeat the first token, and knows no logprob of it.
    if (client_.request.sampling.logprobs < 0) return token.token == client_.expected[place].token;
    return token == client_.expected[place];
  }
  void End(std::uint64_t how) {
    events_.Trace("end", Number(), how);
    if (++client_.ends > 1) Wrong("ended twice");
    const Duration took = events_.now() - client_.submitted_at;
    if (took > client_.request.time_left + kDeadlineGrace) {
      Wrong(absl::StrFormat("ended %.3f s after its deadline",
                            ToSeconds(took - client_.request.time_left)));
    }
  }
  void Wrong(const std::string& what) {
    violation_(absl::StrFormat("client %d: %s", client_.number, what));
  }
  std::uint64_t Number() const { return static_cast<std::uint64_t>(client_.number); }

  SimClient& client_;
  EventQueue& events_;
  const SimViolation& violation_;
};

}  // namespace

std::unique_ptr<SimClient> DrawSimClient(int number, std::vector<TokenId> prompt, SimRandom& random,
                                         FaultBook& book, double hurried) {
  auto client = std::make_unique<SimClient>();
  client->number = number;
  Request& request = client->request;
  request.id = {random.Next(), random.Next()};
  request.prompt = std::move(prompt);
  for (int n = random.Between(1, 40); n > 0; --n) {
    request.prompt.push_back(random.Between(1, kHashVocabulary - 1));
  }
  request.sampling.seed = random.Next();
  request.sampling.logprobs = random.Chance(0.5) ? 0 : -1;
  if (request.sampling.seed % 4 == 0) {
    request.sampling.prompt_logprobs = 0;
    client->expected_prompt = HashPromptOracle(request.prompt);
  }
  request.stop.max_tokens = random.Chance(0.15) ? 1 : random.Between(2, 48);
  request.stop.end_tokens = {kHashEnd};
  request.time_left = std::chrono::seconds(40);
  const Duration hurry = random.DurationBetween(Milliseconds(1), Milliseconds(1500));
  client->hurried = book.Strikes(Fault::kClientHurries, random, hurried);
  if (client->hurried) request.time_left = hurry;
  client->expected = HashOracle(request.prompt, request.sampling, request.stop);
  return client;
}

std::unique_ptr<ResponseObserver> ObserverOf(SimClient& client, EventQueue& events,
                                             const SimViolation& violation) {
  return std::make_unique<SimObserver>(client, events, violation);
}

}  // namespace baton
