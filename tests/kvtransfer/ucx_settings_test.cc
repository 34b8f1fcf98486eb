#include "kvtransfer/ucx_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>

#include "kvtransfer/ucx_address.h"
#include "kvtransfer/ucx_endpoint.h"
#include "kvtransfer/ucx_status.h"
#include "kvtransfer/ucx_window.h"
#include "kvtransfer/ucx_wire.h"
#include "kvtransfer/ucx_worker.h"

namespace baton {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

UcxOptions Wires(bool shm, bool tcp) {
  UcxOptions options;
  options.shm = shm;
  options.tcp = tcp;
  return options;
}

std::string ValueOf(const std::vector<UcxSetting>& settings, const std::string& name) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const UcxSetting& one) { return one.name == name; });
  return found == settings.end() ? "(unset)" : found->value;
}

TEST(UcxSettingsTest, TcpListensOnTheDeviceOfTheHostAlone) {
  const auto settings = UcxSettings(Wires(false, true));
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(ValueOf(*settings, "NET_DEVICES"), "lo");
  EXPECT_EQ(ValueOf(*settings, "TLS"), "tcp");
}

TEST(UcxSettingsTest, AHostThatIsNotOursIsRefused) {
  UcxOptions options = Wires(true, true);
  options.host = "192.0.2.1";  // RFC 5737: documentation
  EXPECT_EQ(UcxSettings(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(UcxSettingsTest, NoTransportIsRefused) {
  EXPECT_EQ(UcxSettings(Wires(false, false)).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(UcxSettingsTest, MakingAnEndpointNeverWaitsForItsPeer) {
  const auto settings = UcxSettings(Wires(false, true));
  ASSERT_TRUE(settings.ok());
  const bool found = std::any_of(settings->begin(), settings->end(), [](const UcxSetting& one) {
    return one.name == "CONN_NB" && one.value == "y";
  });
  EXPECT_TRUE(found);
}

TEST(UcxSettingsTest, EveryNameIsKnownToTheLibrary) {
  // UCX takes any name and only warns, at a level that is switched off in service.
  UcxOptions options = Wires(true, true);
  options.tcp_ports = "47300-47399";
  const auto settings = UcxSettings(options);
  ASSERT_TRUE(settings.ok());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  ucp_config_t* config = nullptr;
  ASSERT_EQ(ucp_config_read(nullptr, nullptr, &config), UCS_OK);
  for (const UcxSetting& one : *settings) {
    EXPECT_EQ(ucp_config_modify(config, one.name.c_str(), one.value.c_str()), UCS_OK) << one.name;
  }
  ucp_config_modify(config, "MM_NO_SUCH_OPTION", "1");
  ucp_params_t params{};
  params.field_mask = UCP_PARAM_FIELD_FEATURES;
  params.features = UCP_FEATURE_AM | UCP_FEATURE_WAKEUP;
  ucp_context_h context = nullptr;
  ASSERT_EQ(ucp_init(&params, config, &context), UCS_OK);
  ucp_config_release(config);
  ucp_worker_params_t worker_params{};
  ucp_worker_h worker = nullptr;
  ASSERT_EQ(ucp_worker_create(context, &worker_params, &worker), UCS_OK);
  ucp_worker_destroy(worker);
  ucp_cleanup(context);
  const std::string said =
      testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("MM_NO_SUCH_OPTION")) << "the library does not warn: no proof";
  for (const UcxSetting& one : *settings) {
    EXPECT_EQ(said.find(one.name + "="), std::string::npos) << said;
  }
}

TEST(UcxSettingsTest, SharedMemorySurvivesEndpointsThatReportDeath) {
  auto here = UcxWorker::Open(Wires(true, false));
  auto there = UcxWorker::Open(Wires(true, false));
  ASSERT_TRUE(here.ok() && there.ok()) << here.status();
  UcxEndpoint endpoint;
  const absl::Status opened = endpoint.Open(**here, (*there)->address());
  ASSERT_TRUE(opened.ok()) << opened;
  EXPECT_EQ(endpoint.Wire(), "shm");
  while (!endpoint.Close()) ucp_worker_progress((*here)->get());
}

/// Ports on which somebody on this machine listens, as /proc/net/tcp tells them.
std::set<int> ListeningPorts() {
  std::set<int> ports;
  std::ifstream file("/proc/net/tcp");
  std::string line;
  while (std::getline(file, line)) {
    int port = 0;
    int state = 0;
    if (std::sscanf(line.c_str(), " %*d: %*x:%x %*x:%*x %x", &port, &state) == 2 && state == 0x0A) {
      ports.insert(port);
    }
  }
  return ports;
}

TEST(UcxSettingsTest, ThePortRangeIsKept) {
  UcxOptions options = Wires(false, true);
  options.tcp_ports = "47300-47399";
  const std::set<int> before = ListeningPorts();
  const auto worker = UcxWorker::Open(options);
  ASSERT_TRUE(worker.ok()) << worker.status();
  int opened = 0;
  for (const int port : ListeningPorts()) {
    if (port >= 47300 && port <= 47399 && !before.contains(port)) ++opened;
  }
  EXPECT_EQ(opened, 1);
}

TEST(UcxSettingsTest, TheEnvironmentIsOverruledAloud) {
  const std::vector<UcxSetting> settings = {{"TLS", "posix,tcp"}};
  const std::vector<std::string> environment = {"HOME=/root", "UCX_TLS=rc", "UCX_IB_GID_INDEX=3"};
  const std::vector<std::string> remarks = EnvironmentRemarks(settings, environment);
  ASSERT_EQ(remarks.size(), 2u);
  EXPECT_THAT(remarks[0], HasSubstr("UCX_TLS=rc is overruled by posix,tcp"));
  EXPECT_THAT(remarks[1], HasSubstr("UCX_IB_GID_INDEX=3 is followed"));
  const std::vector<std::string> same = {"UCX_TLS=posix,tcp"};
  EXPECT_THAT(EnvironmentRemarks(settings, same), IsEmpty());
}

TEST(UcxSettingsTest, TheConfigurationNamesTransportsInTheOrderThatCanBeHad) {
  TransferConfig config;
  EXPECT_TRUE(UcxOptionsFrom(config)->shm && UcxOptionsFrom(config)->tcp) << "empty is both";
  config.transports = {"tcp"};
  EXPECT_FALSE(UcxOptionsFrom(config)->shm);
  config.transports = {"tcp", "shm"};
  EXPECT_EQ(UcxOptionsFrom(config).status().code(), absl::StatusCode::kInvalidArgument);
  config.transports = {"rdma"};
  EXPECT_EQ(UcxOptionsFrom(config).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(UcxWireTest, TheLaneOfActiveMessagesNamesTheWire) {
  const std::string posix =
      "# UCP endpoint baton\n"
      "#                 lane[0]:  0:posix/memory.0 md[0]          -> md[0]/posix/sysdev[255] am "
      "am_bw#0 keepalive\n";
  EXPECT_EQ(WireOfEndpointText(posix), "shm");
  const std::string tcp =
      "#   lane[0]:  1:posix/memory.0 md[0] -> md[0]/posix/sysdev[255] rma_bw#0\n"
      "#   lane[1]:  2:tcp/lo.0 md[1] -> md[1]/tcp/sysdev[255] am am_bw#0 wireup\n";
  EXPECT_EQ(WireOfEndpointText(tcp), "tcp");
  EXPECT_EQ(WireOfEndpointText("#  lane[0]:  5:rc_mlx5/mlx5_0:1.0 md[4] -> md[4] am\n"), "rc_mlx5");
  EXPECT_EQ(WireOfEndpointText("nothing of the kind"), "unknown");
}

TEST(UcxWireTest, AnotherWireThanRequiredIsRefused) {
  EXPECT_TRUE(CheckWire({"validated", "tcp"}, "").ok());
  EXPECT_TRUE(CheckWire({"validated", "shm"}, "shm").ok());
  EXPECT_EQ(CheckWire({"validated", "tcp"}, "shm").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CheckWire({"validated", "unknown"}, "shm").code(), absl::StatusCode::kUnavailable);
}

TEST(UcxAddressTest, DamagedAddressesAreRefused) {
  const std::string good = UcxAddress{true, true, ThisMachine(), "worker address"}.Encode();
  const auto read = UcxAddress::Decode(good);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->ucx, "worker address");
  EXPECT_EQ(read->machine, ThisMachine());
  EXPECT_TRUE(read->shm && read->tcp);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x04);
    EXPECT_FALSE(UcxAddress::Decode(damaged).ok()) << at;
    EXPECT_FALSE(UcxAddress::Decode(good.substr(0, at)).ok()) << at;
  }
}

TEST(UcxStatusTest, CodesHaveTheirNames) {
  EXPECT_EQ(UcxStatusName(UCS_ERR_CONNECTION_RESET), "CONNECTION_RESET");
  EXPECT_EQ(UcxStatusName(static_cast<ucs_status_t>(-99)), "UNKNOWN");
  EXPECT_EQ(FromUcx(UCS_ERR_CANCELED, "x").code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(FromUcx(UCS_ERR_ENDPOINT_TIMEOUT, "x").code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(FromUcx(UCS_OK, "x").ok());
}

}  // namespace
}  // namespace baton
