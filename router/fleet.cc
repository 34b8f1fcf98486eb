#include "router/fleet.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "kvcache/kv_layout.h"
#include "router/route.h"

namespace baton {
namespace {

constexpr std::size_t kWorkerIdBytesMax = 256;
constexpr std::size_t kAddressBytesMax = 4096;
constexpr std::size_t kFingerprintBytes = 16;
constexpr std::uint32_t kPageTokensMax = 65536;
constexpr double kStoredDecaySeconds = 600;
// A load statement later than this after a job was sent holds it, accepted or not.
constexpr Duration kStatedAfter = std::chrono::seconds(1);
// Until a worker has fitted its own; only its ratios matter, between workers that know nothing.
constexpr StepCost kPriorCost{
    .fixed = 1e-3, .per_token = 2e-5, .per_pair = 1e-9, .per_sequence = 1e-4};

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
  workers_.erase(link);
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
  worker.load = load;
  worker.load_at = now;
  std::erase_if(worker.sent, [now](const auto& entry) {
    return entry.second.accepted || now - entry.second.at > kStatedAfter;
  });
}

void Fleet::OnSent(Worker& worker, const RequestId& request, const SentWork& work, Instant now) {
  worker.sent[request] = {work, now, false};
  worker.stored_tokens = StoredTokens(worker, now) + work.prompt_tokens;
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
  const StepCost stated{.fixed = Number(worker.load.step_seconds_fixed()),
                        .per_token = Number(worker.load.step_seconds_per_token()),
                        .per_pair = Number(worker.load.step_seconds_per_pair()),
                        .per_sequence = Number(worker.load.step_seconds_per_sequence())};
  return stated == StepCost{} ? kPriorCost : stated;
}

double QueueSeconds(const Worker& worker, double chunk_tokens, Instant now) {
  const StepCost cost = StepCostOf(worker);
  const double stated =
      SecondsOfPrompts(cost, static_cast<double>(worker.load.queue_tokens()),
                       static_cast<double>(worker.load.queue_requests()), chunk_tokens);
  double seconds = std::max(0.0, stated - ToSeconds(now - worker.load_at));
  for (const auto& [request, sent] : worker.sent) {
    if (sent.work.prompt_tokens <= 0) continue;
    const double context = std::max(0.0, sent.work.context_tokens - sent.work.prompt_tokens);
    seconds += PrefillSeconds(cost, context, sent.work.prompt_tokens, chunk_tokens);
  }
  return seconds;
}

double RunningSequences(const Worker& worker) {
  return static_cast<double>(worker.load.running_sequences()) +
         static_cast<double>(worker.sent.size());
}

std::uint32_t RoomPages(const Worker& worker) {
  std::uint64_t taken = worker.load.promised_pages();
  for (const auto& [request, sent] : worker.sent) taken += sent.work.pages;
  const std::uint64_t free = worker.load.free_pages();
  return static_cast<std::uint32_t>(free > taken ? free - taken : 0);
}

double StoredTokens(const Worker& worker, Instant now) {
  return worker.stored_tokens * std::exp(-ToSeconds(now - worker.stored_at) / kStoredDecaySeconds);
}

}  // namespace baton
