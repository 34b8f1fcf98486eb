#include "server/start_check.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/model.h"
#include "kvtransfer/transfer_limits.h"
#include "kvtransfer/ucx_transport.h"

namespace baton {
namespace {

constexpr char kBuiltinPrefix[] = "builtin:";

void CheckWorker(const Config& config, std::vector<std::string>& refusals) {
  const auto note = [&refusals](const absl::Status& status) {
    if (!status.ok()) refusals.emplace_back(status.message());
  };
  note(UcxOptionsFrom(config.transfer).status());
  note(TransferLimitsFrom(config.transfer).status());
  note(KvDTypeFor(ModelFacts{}, config.flat.kv_cache_dtype).status());
}

}  // namespace

absl::Status CheckStart(Role role, const Config& config) {
  std::vector<std::string> refusals;
  const std::string& model = config.model.path;
  if (absl::StartsWith(model, kBuiltinPrefix) && model != "builtin:recall" &&
      model != "builtin:recall-nano") {
    refusals.push_back(absl::StrCat(
        "model.path: expected builtin:recall, builtin:recall-nano or a directory, got ", model));
  }
  if (role != Role::kRouter) CheckWorker(config, refusals);
  const bool worker = role == Role::kPrefill || role == Role::kDecode;
  if (worker && config.router.endpoints.empty()) {
    refusals.emplace_back(
        "router.endpoints: expected a router to register with; give --router HOST:PORT (its "
        "router.grpc_port)");
  }
  if (refusals.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(refusals, "\n"));
}

}  // namespace baton
