#include "server/roles/worker_parts.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/status.h"
#include "kvtransfer/transfer_limits.h"
#include "kvtransfer/ucx_transport.h"
#include "server/roles/cache_directory.h"
#include "server/roles/memory_plan.h"
#include "server/roles/random_start.h"
#include "server/roles/wire_check.h"

namespace baton {
namespace {

absl::StatusOr<TransferLimits> LimitsFrom(const Config& config) {
  BATON_ASSIGN_OR_RETURN(TransferLimits limits, TransferLimitsFrom(config.transfer));
  // `.inf` is lawful in LMCache's files; a wait of ours has an end.
  const double seconds = std::min(config.flat.pd_allocation_timeout_sec, 3600.0);
  limits.grant_wait = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  limits.overlap = config.flat.overlap_compute_transfer;
  if (config.flat.pd_buffer_bytes > 0) {
    limits.window_bytes_max = config.flat.pd_buffer_bytes;
    limits.window_bytes_min = std::min(limits.window_bytes_min, limits.window_bytes_max);
  }
  return limits;
}

void FillModel(const ModelFacts& facts, link::ModelFacts* out) {
  out->set_name(facts.name);
  out->set_vocab_size(facts.vocab_size);
  out->set_ids_with_text(facts.ids_with_text);
  out->set_length_tokens_max(facts.length_tokens_max);
  out->mutable_end_tokens()->Assign(facts.end_tokens.begin(), facts.end_tokens.end());
}

struct Registration {
  const Config& config;
  const WorkerParts& parts;
  link::Role role;

  link::Register Make() const {
    link::Register facts;
    const KvLayout& layout = parts.arena->layout();
    facts.set_worker_id(parts.self.worker_id);
    facts.set_incarnation(Index(parts.self.incarnation));
    facts.set_role(role);
    const Fingerprint fingerprint = FingerprintOf(parts.self.fields);
    facts.set_layout_fingerprint(fingerprint.data(), fingerprint.size());
    for (const auto& [name, value] : parts.self.fields) {
      link::LayoutField* field = facts.add_layout_fields();
      field->set_name(name);
      field->set_value(value);
    }
    facts.set_transfer_address(parts.transport->address());
    for (const std::string& wire : config.transfer.transports) facts.add_transports(wire);
    facts.set_pages(parts.arena->num_pages());
    facts.set_page_tokens(static_cast<std::uint32_t>(layout.tokens_per_page));
    facts.set_key_namespace(
        parts.model->KeyNamespace(layout, *parts.backend, config.cache.key_namespace));
    FillModel(parts.model->facts(), facts.mutable_model());
    return facts;
  }
};

/// A bar on a terminal; nothing in a log.
LoadProgress ProgressBar() {
  if (isatty(STDERR_FILENO) == 0) return nullptr;
  return [](std::size_t done, std::size_t total) {
    std::fprintf(
        stderr, "\rloading %5.1f %% of %.1f MiB%s",
        100.0 * static_cast<double>(done) / static_cast<double>(std::max<std::size_t>(total, 1)),
        static_cast<double>(total) / (1 << 20), done >= total ? "\n" : "");
  };
}

std::string WorkerIdOf(const Config& config, link::Role role) {
  if (!config.server.worker_id.empty()) return config.server.worker_id;
  return absl::StrCat(role == link::ROLE_PREFILL ? "prefill-" : "decode-", getpid());
}

}  // namespace

int ComputeThreads(const ModelConfig& model) {
  if (model.cpu_threads > 0) return model.cpu_threads;
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, cores >= 4 ? cores - 1 : cores);
}

absl::StatusOr<ModelParts> MakeModelParts(const Config& config) {
  if (absl::StartsWith(config.model.device, "cuda")) {
    return absl::UnimplementedError("model.device: cuda is not in this build; use cpu");
  }
  ModelParts parts;
  parts.backend = CpuBackend(config.model.cpu_isa);
  if (parts.backend == nullptr) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "model.cpu_isa: %s is not to be had on this machine; use auto", config.model.cpu_isa));
  }
  BATON_ASSIGN_OR_RETURN(parts.model, LoadModel(config.model, ProgressBar(), CacheDirectory()));
  BATON_ASSIGN_OR_RETURN(parts.kv_dtype,
                         KvDTypeFor(parts.model->facts(), config.flat.kv_cache_dtype));
  return parts;
}

absl::StatusOr<WorkerParts> MakeWorkerParts(const LoadedConfig& loaded, link::Role role) {
  const Config& config = loaded.config;
  BATON_ASSIGN_OR_RETURN(const MemoryPlan plan, PlanMemory(config));
  BATON_INFO("memory: %s", Describe(plan));
  WorkerParts parts;
  BATON_ASSIGN_OR_RETURN(ModelParts model, MakeModelParts(config));
  parts.model = std::move(model.model);
  parts.backend = model.backend;
  const KvLayout layout = parts.model->LayoutFor(model.kv_dtype, config.cache.page_tokens);
  BATON_ASSIGN_OR_RETURN(parts.arena, KvArena::Create(layout, plan.pages));
  if (!config.transfer.require_transport.empty()) {
    BATON_RETURN_IF_ERROR(FindWire(config.transfer).status());
  }
  BATON_ASSIGN_OR_RETURN(const UcxOptions wire, UcxOptionsFrom(config.transfer));
  BATON_ASSIGN_OR_RETURN(parts.transport, MakeUcxTransport(wire));
  parts.self.worker_id = WorkerIdOf(config, role);
  parts.self.incarnation = Incarnation{RandomNonZero()};
  parts.self.fields = parts.model->Fingerprint(layout, *parts.backend);
  BATON_ASSIGN_OR_RETURN(parts.limits, LimitsFrom(config));
  parts.secret = RandomNonZero();
  parts.facts = Registration{config, parts, role}.Make();
  BATON_INFO("model %s revision %s, backend %s %s, %d pages of %d tokens, fingerprint %s",
             parts.model->facts().name, parts.model->facts().revision.substr(0, 16),
             parts.backend->name, parts.backend->isa, plan.pages, layout.tokens_per_page,
             ToHex(FingerprintOf(parts.self.fields)));
  return parts;
}

}  // namespace baton
