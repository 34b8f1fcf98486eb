#include "kvtransfer/ucx_worker.h"

#include <dlfcn.h>
#include <unistd.h>

#include <span>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "kvtransfer/ucx_ports.h"
#include "kvtransfer/ucx_settings.h"
#include "kvtransfer/ucx_status.h"

namespace baton {
namespace {

std::vector<std::string> Environment() {
  std::vector<std::string> out;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    out.emplace_back(*variable);
  }
  return out;
}

/// The library reads its global options when it is loaded, which is before main. It has a setter,
/// but in libucs, whose symbols are promised to nobody: so it is looked up, and its absence told.
void ApplyGlobalSettings() {
  using Setter = ucs_status_t (*)(const char*, const char*);
  const auto set = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, "ucs_global_opts_set_value"));
  for (const UcxSetting& setting : UcxGlobalSettings()) {
    if (set == nullptr || set(setting.name.c_str(), setting.value.c_str()) != UCS_OK) {
      BATON_WARN("ucx %s cannot be set: start with UCX_%s=%s in the environment", setting.name,
                 setting.name, setting.value);
    }
  }
}

absl::Status Modify(ucp_config_t* config, std::span<const UcxSetting> settings) {
  for (const UcxSetting& setting : settings) {
    const ucs_status_t status =
        ucp_config_modify(config, setting.name.c_str(), setting.value.c_str());
    BATON_RETURN_IF_ERROR(
        FromUcx(status, "setting UCX_" + setting.name + "=" + setting.value + " failed"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status UcxWorker::Prepare(const UcxOptions& options) {
  std::vector<UcxSetting> settings;
  BATON_ASSIGN_OR_RETURN(settings, UcxSettings(options));
  for (const std::string& remark : EnvironmentRemarks(settings, Environment())) {
    BATON_WARN("%s", remark);
  }
  ApplyGlobalSettings();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<UcxWorker>> UcxWorker::Open(const UcxOptions& options) {
  std::unique_ptr<UcxWorker> worker(new UcxWorker);
  BATON_RETURN_IF_ERROR(CheckPorts(options));
  BATON_RETURN_IF_ERROR(worker->OpenContext(options));
  BATON_RETURN_IF_ERROR(worker->OpenWorker());
  return worker;
}

UcxWorker::~UcxWorker() {
  if (worker_ != nullptr) ucp_worker_destroy(worker_);
  if (context_ != nullptr) ucp_cleanup(context_);
}

absl::Status UcxWorker::OpenContext(const UcxOptions& options) {
  std::vector<UcxSetting> settings;
  BATON_ASSIGN_OR_RETURN(settings, UcxSettings(options));
  ucp_config_t* config = nullptr;
  BATON_RETURN_IF_ERROR(
      FromUcx(ucp_config_read(nullptr, nullptr, &config), "reading UCX's configuration failed"));
  const std::unique_ptr<ucp_config_t, decltype(&ucp_config_release)> owner(config,
                                                                           &ucp_config_release);
  BATON_RETURN_IF_ERROR(Modify(config, settings));

  ucp_params_t params{};
  params.field_mask =
      UCP_PARAM_FIELD_FEATURES | UCP_PARAM_FIELD_MT_WORKERS_SHARED | UCP_PARAM_FIELD_NAME;
  params.features = UCP_FEATURE_AM | UCP_FEATURE_WAKEUP;
  params.mt_workers_shared = 0;
  params.name = "baton";
  return FromUcx(ucp_init(&params, config, &context_),
                 "no transport of transfer.transports works on transfer.host");
}

absl::Status UcxWorker::OpenWorker() {
  ucp_worker_params_t params{};
  params.field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE;
  params.thread_mode = UCS_THREAD_MODE_SINGLE;
  BATON_RETURN_IF_ERROR(FromUcx(ucp_worker_create(context_, &params, &worker_),
                                "the transfer worker cannot be opened (are all of "
                                "transfer.tcp_ports taken?)"));
  BATON_RETURN_IF_ERROR(
      FromUcx(ucp_worker_get_efd(worker_, &wake_fd_), "the transport has no wake-up descriptor"));
  ucp_address_t* address = nullptr;
  std::size_t bytes = 0;
  BATON_RETURN_IF_ERROR(
      FromUcx(ucp_worker_get_address(worker_, &address, &bytes), "the worker has no address"));
  address_.assign(reinterpret_cast<const char*>(address), bytes);
  ucp_worker_release_address(worker_, address);
  return absl::OkStatus();
}

absl::Status UcxWorker::Handle(unsigned id, ucp_am_recv_callback_t handler, void* arg) {
  ucp_am_handler_param_t params{};
  params.field_mask = UCP_AM_HANDLER_PARAM_FIELD_ID | UCP_AM_HANDLER_PARAM_FIELD_FLAGS |
                      UCP_AM_HANDLER_PARAM_FIELD_CB | UCP_AM_HANDLER_PARAM_FIELD_ARG;
  params.id = id;
  params.flags = UCP_AM_FLAG_WHOLE_MSG;
  params.cb = handler;
  params.arg = arg;
  return FromUcx(ucp_worker_set_am_recv_handler(worker_, &params), "no message handler");
}

}  // namespace baton
