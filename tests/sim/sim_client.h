// A client of the simulated cluster: what it asked, what the oracle says, what it heard. Every
// token is held against the oracle when it comes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "router/request.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/sim_faults.h"
#include "tests/sim/sim_random.h"

namespace baton {

/// Where the simulation hears that an invariant broke.
using SimViolation = std::function<void(const std::string&)>;

struct SimClient {
  int number = 0;
  int router = 0;
  Request request;
  std::vector<TokenOutput> expected;
  std::vector<PromptLogprob> expected_prompt;  // empty: it did not ask
  bool must_finish = false;                    // nothing is broken: an error is a violation
  bool hurried = false;                        // its time may be up before its answer is whole
  bool must_be_cold = false;                   // nobody may have cached its prompt

  std::vector<PromptLogprob> heard_prompt;
  std::vector<TokenOutput> heard;
  int ends = 0;
  bool finished = false;
  std::string code;  // of its error
  bool submitted = false;
  Instant submitted_at{};
  bool cancelled = false;
  bool lost = false;  // its router crashed

  bool over() const { return ends > 0 || lost; }
};

/// A request of `prompt` with everything else drawn; so many in a hundred are in a hurry.
std::unique_ptr<SimClient> DrawSimClient(int number, std::vector<TokenId> prompt, SimRandom& random,
                                         FaultBook& book, double hurried);

/// Tells `client` what becomes of its request. All three outlive the observer.
std::unique_ptr<ResponseObserver> ObserverOf(SimClient& client, EventQueue& events,
                                             const SimViolation& violation);

}  // namespace baton
