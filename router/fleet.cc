#include "router/fleet.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "kvcache/kv_layout.h"
#include "router/route.h"
#include "router/route_table.h"

namespace baton {
namespace {

constexpr std::size_t kWorkerIdBytesMax = 256;
constexpr std::size_t kAddressBytesMax = 4096;
constexpr std::size_t kFingerprintBytes = 16;
constexpr std::uint32_t kPageTokensMax = 65536;
// A load statement later than this after a job was sent holds it, whatever it says.
constexpr Duration kStatedAfter = std::chrono::seconds(1);
// Until a worker has fitted its own; only its ratios matter, between workers that know nothing.
constexpr StepCost kPriorCost{
    .fixed = 1e-3, .per_token = 2e-5, .per_pair = 1e-9, .per_sequence = 1e-4};

// What two workers of a role are compared by: a chunk, and a batch with some context.
constexpr StepShape kUsualPrefillStep{.tokens = 512, .pairs = 512.0 * 512, .sequences = 1};
constexpr StepShape kUsualDecodeStep{.tokens = 4, .pairs = 4.0 * 512, .sequences = 4};

absl::Status CheckShape(const link::Register& facts) {
  const auto refuse = [](const std::string& what) { return absl::InvalidArgumentError(what); };
  if (facts.worker_id().empty() || facts.worker_id().size() > kWorkerIdBytesMax) {
    return refuse("worker_id: want 1 to 256 bytes");
  }
  if (facts.incarnation() == 0) return refuse("incarnation: want one that is not 0");
  if (facts.role() != link::ROLE_PREFILL && facts.role() != link::ROLE_DECODE) {
    return refuse("role: want prefill or decode");
  }
  if (facts.layout_fingerprint().size() != kFingerprintBytes) {
    return refuse("layout_fingerprint: want 16 bytes");
  }
  if (facts.transfer_address().size() > kAddressBytesMax) {
    return refuse("transfer_address: want at most 4096 bytes");
  }
  if (facts.page_tokens() == 0 || facts.page_tokens() > kPageTokensMax) {
    return refuse("page_tokens: want 1 to 65536");
  }
  if (facts.model().vocab_size() <= 0) return refuse("model.vocab_size: want at least 1");
  return absl::OkStatus();
}

FingerprintFields FieldsOf(const link::Register& facts) {
  FingerprintFields fields;
  for (const link::LayoutField& field : facts.layout_fields()) {
    fields.emplace_back(field.name(), field.value());
  }
  return fields;
}

// What must be equal beside the fingerprint, so that tokens and keys mean the same.
FingerprintFields ModelFieldsOf(const link::Register& facts) {
  std::string ends;
  for (const std::int32_t token : facts.model().end_tokens()) ends += absl::StrFormat("%d ", token);
  return {{"model.name", facts.model().name()},
          {"model.vocab_size", std::to_string(facts.model().vocab_size())},
          {"model.ids_with_text", std::to_string(facts.model().ids_with_text())},
          {"model.end_tokens", ends},
          {"page_tokens", std::to_string(facts.page_tokens())}};
}

std::string DifferenceOf(const link::Register& mine, const link::Register& yours) {
  std::string difference = Difference(FieldsOf(mine), FieldsOf(yours));
  if (!difference.empty()) return difference;
  if (mine.layout_fingerprint() != yours.layout_fingerprint()) {
    return "layout_fingerprint: differs, though all named fields agree";
  }
  difference = Difference(ModelFieldsOf(mine), ModelFieldsOf(yours));
  if (!difference.empty()) return difference;
  if (mine.key_namespace() != yours.key_namespace()) return "key_namespace: differs";
  return "";
}

double Number(double stated) { return std::isfinite(stated) ? std::clamp(stated, 0.0, 1e3) : 0; }

StepCost StatedCostOf(const Worker& worker) {
  return {.fixed = Number(worker.load.step_seconds_fixed()),
          .per_token = Number(worker.load.step_seconds_per_token()),
          .per_pair = Number(worker.load.step_seconds_per_pair()),
          .per_sequence = Number(worker.load.step_seconds_per_sequence())};
}

// Of one that has seen no step, anything may be true.
double ScatterOf(const Worker& worker) {
  constexpr double kUnknown = 1;
  const double stated = Number(worker.load.step_residual_ratio());
  return stated > 0 ? stated : kUnknown;
}

// a * x + b * y. Sums that rounding made negative are 0.
StepCost Blend(const StepCost& x, double a, const StepCost& y, double b) {
  const auto blend = [a, b](double of_x, double of_y) {
    return std::max(0.0, a * of_x + b * of_y);
  };
  return {.fixed = blend(x.fixed, y.fixed),
          .per_token = blend(x.per_token, y.per_token),
          .per_pair = blend(x.per_pair, y.per_pair),
          .per_sequence = blend(x.per_sequence, y.per_sequence)};
}

Duration FromSeconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

double SecondsOfPrompts(const StepCost& cost, double tokens, double requests, double chunk_tokens) {
  if (tokens <= 0) return 0;
  const double each = tokens / std::max(1.0, requests);
  return std::max(1.0, requests) * PrefillSeconds(cost, 0, each, chunk_tokens);
}

}  // namespace

Fleet::Fleet(Duration heartbeat, ExpectedModel expected)
    : heartbeat_(heartbeat), expected_(std::move(expected)) {}

absl::Status Fleet::CheckModel(const link::Register& facts) const {
  const link::ModelFacts& model = facts.model();
  if (!expected_.name.empty() && model.name() != expected_.name) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "worker %s serves the model %s, and this router speaks for %s: its tokenizer would make "
        "nonsense of the answers; start both with the same MODEL (its last part is the name)",
        facts.worker_id(), model.name(), expected_.name));
  }
  const int ids = std::min(expected_.ids_with_text, model.vocab_size());  // what it samples
  const bool all = model.ids_with_text() == model.vocab_size();  // it knows of no tokenizer
  if (ids <= model.ids_with_text() &&
      (all || !expected_.own_tokenizer || ids == model.ids_with_text())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrFormat(
      "worker %s serves a model %s of %d token ids with text, this router's tokenizer for %s has "
      "%d: they are not the same model; start both with the same directory",
      facts.worker_id(), model.name(), model.ids_with_text(), expected_.name, ids));
}

absl::Status Fleet::Check(const link::Register& facts) const {
  if (absl::Status shape = CheckShape(facts); !shape.ok()) return shape;
  if (absl::Status model = CheckModel(facts); !model.ok()) return model;
  if (workers_.size() >= kWorkersMax) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("this router holds %d workers: add a router", kWorkersMax));
  }
  for (const auto& [link, worker] : workers_) {
    if (worker.facts.worker_id() == facts.worker_id()) continue;  // it replaces that one
    const std::string difference = DifferenceOf(facts, worker.facts);
    if (difference.empty()) return absl::OkStatus();  // all others are equal to this one
    return absl::InvalidArgumentError(
        absl::StrFormat("worker %s differs from the fleet's worker %s, so they must not exchange "
                        "pages: %s; start it with the same model and configuration",
                        facts.worker_id(), worker.facts.worker_id(), difference));
  }
  return absl::OkStatus();
}

Worker& Fleet::Add(LinkId link, const link::Register& facts, Instant now) {
  Worker& worker = workers_[link];
  worker.link = link;
  worker.facts = facts;
  worker.heard_at = now;
  worker.load_at = now;
  worker.stored_at = now;
  worker.load.set_free_pages(facts.pages());
  return worker;
}

void Fleet::Remove(LinkId link) {
  const auto found = workers_.find(link);
  if (found == workers_.end()) return;
  Count(found->second, -1);
  workers_.erase(found);
  for (auto& [other, worker] : workers_) worker.peers.erase(link);
}

Worker* Fleet::Find(LinkId link) {
  const auto found = workers_.find(link);
  return found == workers_.end() ? nullptr : &found->second;
}

const Worker* Fleet::Find(LinkId link) const {
  const auto found = workers_.find(link);
  return found == workers_.end() ? nullptr : &found->second;
}

std::optional<LinkId> Fleet::LinkOf(const std::string& worker_id) const {
  for (const auto& [link, worker] : workers_) {
    if (worker.facts.worker_id() == worker_id) return link;
  }
  return std::nullopt;
}

WorkerState Fleet::StateOf(const Worker& worker, Instant now) const {
  if (worker.load.draining()) return WorkerState::kDraining;
  if (now - worker.heard_at > 2 * heartbeat_) return WorkerState::kSuspect;
  return WorkerState::kReady;
}

void Fleet::OnLoad(Worker& worker, const link::Load& load, Instant now) {
  if (load.number() < worker.load.number()) return;
  Count(worker, -1);
  worker.load = load;
  worker.load_at = now;
  Count(worker, +1);
  std::erase_if(worker.sent, [&load, now](const auto& entry) {
    const Worker::Sent& sent = entry.second;
    return sent.accepted || sent.number <= load.jobs_seen() || now - sent.at > kStatedAfter;
  });
}

void Fleet::OnSent(Worker& worker, const RequestId& request, const SentWork& work, Instant now) {
  worker.sent[request] = {work, now, ++worker.jobs_sent, false};
  worker.stored_tokens = StoredTokens(worker, now) + work.stored_tokens;
  worker.stored_at = now;
}

void Fleet::OnAccepted(LinkId link, const RequestId& request) {
  Worker* worker = Find(link);
  if (worker == nullptr) return;
  const auto sent = worker->sent.find(request);
  if (sent != worker->sent.end()) sent->second.accepted = true;
}

void Fleet::OnEnded(LinkId link, const RequestId& request) {
  if (Worker* worker = Find(link); worker != nullptr) worker->sent.erase(request);
}

StepCost StepCostOf(const Worker& worker) {
  const StepCost stated = StatedCostOf(worker);
  return stated == StepCost{} ? kPriorCost : stated;
}

void Fleet::Count(const Worker& worker, int sign) {
  const StepCost cost = StatedCostOf(worker);
  if (cost == StepCost{}) return;
  const bool decode = worker.facts.role() == link::ROLE_DECODE;
  RoleCosts& costs = decode ? decode_costs_ : prefill_costs_;
  costs.count += sign;
  costs.scatter_sum = costs.count == 0 ? 0 : costs.scatter_sum + sign * ScatterOf(worker);
  costs.sum = costs.count == 0 ? StepCost{} : Blend(costs.sum, 1, cost, sign);
}

StepCost Fleet::CostOf(const Worker& worker) const {
  const StepCost own = StepCostOf(worker);
  const bool decode = worker.facts.role() == link::ROLE_DECODE;
  const RoleCosts& costs = decode ? decode_costs_ : prefill_costs_;
  if (costs.count < 2 || StatedCostOf(worker) == StepCost{}) return own;
  const double scatter = std::max(ScatterOf(worker), costs.scatter_sum / costs.count);
  const StepCost mean = Blend(costs.sum, 1.0 / costs.count, StepCost{}, 0);
  const StepShape usual = decode ? kUsualDecodeStep : kUsualPrefillStep;
  const double difference = own.Seconds(usual) / mean.Seconds(usual) - 1;
  const double square = difference * difference;
  const double share = square / (square + scatter * scatter);
  return Blend(mean, 1 - share, own, share);
}

Instant BusyUntil(const Worker& worker, const StepCost& cost, double chunk_tokens) {
  const double stated =
      SecondsOfPrompts(cost, static_cast<double>(worker.load.queue_tokens()),
                       static_cast<double>(worker.load.queue_requests()), chunk_tokens);
  Instant busy = worker.load_at + FromSeconds(stated);
  // An idle worker began the first of them when it came.
  Instant first = kNever;
  double seconds = 0;
  for (const auto& [request, sent] : worker.sent) {
    if (sent.work.prompt_tokens <= 0) continue;
    const double context = std::max(0.0, sent.work.context_tokens - sent.work.prompt_tokens);
    seconds += PrefillSeconds(cost, context, sent.work.prompt_tokens, chunk_tokens);
    first = std::min(first, sent.at);
  }
  return seconds > 0 ? std::max(busy, first) + FromSeconds(seconds) : busy;
}

double RunningSequences(const Worker& worker) {
  return static_cast<double>(worker.load.running_sequences()) +
         static_cast<double>(worker.sent.size());
}

double RunningTokens(const Worker& worker) {
  // Pages in use without a sequence are quarantined or promised: no step reads them.
  if (RunningSequences(worker) <= 0) return 0;
  const double pages = worker.facts.pages();
  return std::max(0.0, pages - static_cast<double>(RoomPages(worker))) * worker.facts.page_tokens();
}

std::uint32_t RoomPages(const Worker& worker) {
  std::uint64_t taken = worker.load.promised_pages();
  for (const auto& [request, sent] : worker.sent) taken += sent.work.pages;
  const std::uint64_t free = worker.load.free_pages();
  return static_cast<std::uint32_t>(free > taken ? free - taken : 0);
}

double StoredTokens(const Worker& worker, Instant now) {
  return StoredTokens(worker.stored_tokens, worker.stored_at, now);
}

}  // namespace baton
