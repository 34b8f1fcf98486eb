#include "router/candidates.h"

#include <algorithm>

namespace baton {
namespace {

std::uint32_t PagesFor(const Worker& worker, int tokens) {
  const std::uint32_t page = worker.facts.page_tokens();
  return (static_cast<std::uint32_t>(tokens) + page - 1) / page;
}

int HeldTokens(const Worker& worker, const FleetIndex& index, const CandidatesQuery& query,
               Instant now) {
  const int depth = index.Depth(worker.link, query.keys, now);
  return depth * static_cast<int>(worker.facts.page_tokens());
}

PrefillOption PrefillOptionOf(const Worker& worker, int held_tokens, double queue_seconds,
                              Instant now) {
  PrefillOption option;
  option.link = worker.link;
  option.cost = StepCostOf(worker);
  option.queue_seconds = queue_seconds;
  option.held_tokens = held_tokens;
  option.stored_tokens = StoredTokens(worker, now);
  return option;
}

DecodeOption DecodeOptionOf(const Worker& worker, int held_tokens, double queue_seconds,
                            Instant now) {
  DecodeOption option;
  option.link = worker.link;
  option.cost = StepCostOf(worker);
  option.queue_seconds = queue_seconds;
  option.held_tokens = held_tokens;
  option.stored_tokens = StoredTokens(worker, now);
  option.running_sequences = RunningSequences(worker);
  const double pages = std::max<double>(1, worker.facts.pages());
  const double used = std::max(0.0, pages - static_cast<double>(RoomPages(worker)));
  option.pool_used = used / pages;
  // Pages in use without a sequence are quarantined or promised: no step reads them.
  option.running_tokens = option.running_sequences > 0 ? used * worker.facts.page_tokens() : 0;
  return option;
}

// Drops the avoided ones, unless nobody else is there.
template <typename Option>
void PreferOthers(std::vector<Option>& options, std::span<const LinkId> avoid) {
  const auto avoided = [avoid](const Option& option) {
    return std::find(avoid.begin(), avoid.end(), option.link) != avoid.end();
  };
  if (std::all_of(options.begin(), options.end(), avoided)) return;
  std::erase_if(options, avoided);
}

// Which decode workers may run the prompt although prefill workers are up. Without a bound from the
// configuration: those that hold more of it than any prefill worker does, as after a turn of the
// conversation whose answer they wrote; the cost decides among what remains.
void AllowLocal(Candidates& candidates, const RouterOptions& options, int prompt_tokens) {
  int best_held = 0;
  for (const PrefillOption& option : candidates.prefill) {
    best_held = std::max(best_held, option.held_tokens);
  }
  for (DecodeOption& option : candidates.decode) {
    option.may_run_prompt = candidates.alone || (options.local_prefill_tokens_max < 0
                                                     ? option.held_tokens > best_held
                                                     : prompt_tokens - option.held_tokens <=
                                                           options.local_prefill_tokens_max);
  }
}

}  // namespace

Candidates FindCandidates(const Fleet& fleet, const FleetIndex& index, const RouterOptions& options,
                          const CandidatesQuery& query, Instant now) {
  Candidates found;
  bool prefill_up = false;
  bool decode_up = false;
  bool prefill_fits = false;
  bool decode_fits = false;
  const double backlog_max = ToSeconds(options.backlog_max);
  for (const auto& [link, worker] : fleet.workers()) {
    if (fleet.StateOf(worker, now) != WorkerState::kReady) continue;
    const int held = HeldTokens(worker, index, query, now);
    const double queue = QueueSeconds(worker, options.step_tokens_max, now);
    if (worker.facts.role() == link::ROLE_PREFILL) {
      prefill_up = true;
      if (PagesFor(worker, query.prompt_tokens) > worker.facts.pages()) continue;
      prefill_fits = true;
      if (queue <= backlog_max) found.prefill.push_back(PrefillOptionOf(worker, held, queue, now));
      continue;
    }
    decode_up = true;
    const std::uint32_t pages = PagesFor(worker, query.prompt_tokens + 1);
    decode_fits = decode_fits || pages <= worker.facts.pages();
    const std::uint32_t held_pages = static_cast<std::uint32_t>(held) / worker.facts.page_tokens();
    if (pages - std::min(pages, held_pages) > RoomPages(worker)) continue;
    found.decode.push_back(DecodeOptionOf(worker, held, queue, now));
  }
  found.alone = !prefill_up;
  if (found.alone) {
    std::erase_if(found.decode, [=](const auto& d) { return d.queue_seconds > backlog_max; });
  }
  if (!decode_up || (found.alone && !query.alone_allowed)) {
    found.verdict = CandidatesVerdict::kNoWorker;
  } else if (!decode_fits || (prefill_up && !prefill_fits)) {
    found.verdict = CandidatesVerdict::kNeverFits;
  } else if (found.decode.empty() || (prefill_up && found.prefill.empty())) {
    found.verdict = CandidatesVerdict::kFull;
  }
  PreferOthers(found.prefill, query.avoid);
  PreferOthers(found.decode, query.avoid);
  AllowLocal(found, options, query.prompt_tokens);
  return found;
}

}  // namespace baton
