#include "server/roles/memory_plan.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "engine/load_model.h"

namespace baton {
namespace {

double Gib(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 30); }

std::size_t MemoryLimit() {
  struct sysinfo info {};
  sysinfo(&info);
  std::size_t limit = std::size_t{info.totalram} * info.mem_unit;
  std::ifstream cgroup("/sys/fs/cgroup/memory.max");
  std::size_t bytes = 0;
  if (cgroup >> bytes) limit = std::min(limit, bytes);
  return limit;
}

absl::StatusOr<std::uint32_t> PagesFor(std::uint32_t wanted, const MemoryPlan& plan) {
  if (wanted == 0) {
    return static_cast<std::uint32_t>(
        std::clamp<std::size_t>(plan.machine_bytes / 4 / plan.page_bytes, 1, UINT32_MAX / 2));
  }
  if (wanted * plan.page_bytes <= plan.machine_bytes) return wanted;
  return absl::ResourceExhaustedError(absl::StrFormat(
      "cache.pages: %d pages of %d bytes are %.1f GiB, this machine has %.1f GiB", wanted,
      plan.page_bytes, Gib(wanted * plan.page_bytes), Gib(plan.machine_bytes)));
}

}  // namespace

absl::StatusOr<MemoryPlan> PlanMemory(const Config& config) {
  BATON_ASSIGN_OR_RETURN(const ModelSize size, MeasureModel(config.model));
  ModelFacts facts;
  facts.activation = size.activation;
  KvLayout layout = size.layout;
  BATON_ASSIGN_OR_RETURN(layout.dtype, KvDTypeFor(facts, config.flat.kv_cache_dtype));
  layout.tokens_per_page = config.cache.page_tokens;
  MemoryPlan plan;
  plan.weight_bytes = size.weight_bytes;
  plan.page_tokens = layout.tokens_per_page;
  plan.page_bytes = layout.PageBytes();
  plan.machine_bytes = MemoryLimit();
  BATON_ASSIGN_OR_RETURN(plan.pages, PagesFor(config.cache.pages, plan));
  return plan;
}

std::string Describe(const MemoryPlan& plan) {
  return absl::StrFormat(
      "weights %.2f GiB, %d pages of %d tokens %.2f GiB: %d tokens fit, of %.2f GiB here",
      Gib(plan.weight_bytes), plan.pages, plan.page_tokens, Gib(plan.pages * plan.page_bytes),
      std::size_t{plan.pages} * static_cast<std::size_t>(plan.page_tokens),
      Gib(plan.machine_bytes));
}

}  // namespace baton
