// What keys become together: LMCache's names in Baton's sections, and the rules between keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/text_rules.h"

namespace baton {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<LoadedConfig> Load(const std::string& text, Role role = Role::kAny) {
  LoadInputs inputs;
  inputs.role = role;
  inputs.file_name = "f.yaml";
  inputs.file_text = text;
  return LoadConfig(inputs);
}

Config Good(const std::string& text, Role role = Role::kAny) {
  const auto loaded = Load(text, role);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? loaded->config : Config();
}

std::string Errors(const std::string& text, Role role = Role::kAny) {
  const auto loaded = Load(text, role);
  EXPECT_FALSE(loaded.ok()) << text;
  return std::string(loaded.status().message());
}

TEST(MeaningTest, ChunkSizeThatIsNoMultipleOfAPageNamesBothNeighbours) {
  EXPECT_THAT(Errors("chunk_size: 100\n"), HasSubstr("did you mean 64 or 128"));
  EXPECT_THAT(Errors("chunk_size: 10\n"), HasSubstr("did you mean 64"));
  EXPECT_THAT(Errors("cache: {page_tokens: 100}\n"), HasSubstr("f.yaml:1: cache.page_tokens"));
}

TEST(MeaningTest, PdRoleMustAgreeWithTheCommandLine) {
  EXPECT_THAT(Errors("pd_role: sender\n", Role::kDecode), HasSubstr("got prefill"));
  EXPECT_THAT(Errors("enable_pd: false\n", Role::kDecode), HasSubstr("leave it out"));
  EXPECT_EQ(Good("pd_role: sender\nenable_pd: true\n", Role::kPrefill).flat.pd_role, "prefill");
  EXPECT_EQ(Good("pd_role: sender\n", Role::kRouter).flat.pd_role, "prefill");
}

TEST(MeaningTest, InternalAddressOffLoopbackIsRefused) {
  for (const char* text :
       {"router: {grpc_host: 0.0.0.0}", "server: {worker_host: 10.0.0.1}",
        "transfer: {host: example.org}", "router: {endpoints: ['127.0.0.1:1', '10.0.0.1:1']}",
        "pd_proxy_host: 10.0.0.1",
        "internal_api_server_enabled: true\ninternal_api_server_host: 0.0.0.0"}) {
    EXPECT_THAT(Errors(text), HasSubstr("must not leave this machine")) << text;
  }
  EXPECT_TRUE(Load("router: {host: 0.0.0.0, grpc_host: localhost}").ok());
  EXPECT_TRUE(IsLoopback("127.255.0.9"));
  EXPECT_FALSE(IsLoopback("127.evil.org"));
  EXPECT_FALSE(IsLoopback("127.0.0.256"));
}

TEST(MeaningTest, WhatThisVersionCannotDoIsRefused) {
  EXPECT_THAT(Errors("model: {tensor_parallel: 2}\n"), HasSubstr("not supported yet"));
  EXPECT_THAT(Errors("model: {device: 'cuda:0'}\n"), HasSubstr("no cuda backend"));
  EXPECT_THAT(Errors("pd_buffer_device: cuda\n"), HasSubstr("f.yaml:1: pd_buffer_device: expected auto or cpu"));
}

TEST(MeaningTest, TimesAndPortsThatCannotWorkTogetherAreErrors) {
  EXPECT_THAT(Errors("transfer: {renew_ms: 4000}\n"), HasSubstr("half of transfer.lease_ms"));
  EXPECT_THAT(Errors("router: {heartbeat_seconds: 15}\n"), HasSubstr("worker_ttl_seconds"));
  EXPECT_THAT(Errors("router: {port: 7500}\n"), HasSubstr("router.port has"));
  EXPECT_TRUE(Load("router: {port: 0, grpc_port: 0}\n").ok());
  EXPECT_THAT(Errors("local_disk: /tmp/x\n"), HasSubstr("max_local_disk_size"));
  EXPECT_THAT(Errors("cache: {growth_watermark: 0.9}\n"), HasSubstr("promised_fraction_max"));
}

TEST(MeaningTest, PeerNamesAreAddressesOnDecodeAndAHintOnPrefill) {
  const std::string text = "pd_peer_host: 127.0.0.5\npd_peer_init_port: [7301, 7302]\n";
  EXPECT_EQ(Good(text, Role::kDecode).transfer.host, "127.0.0.5");
  EXPECT_EQ(Good(text, Role::kDecode).transfer.tcp_ports, "7301,7302");
  EXPECT_EQ(Good(text, Role::kPrefill).transfer.host, "127.0.0.1");
  EXPECT_TRUE(Load("pd_peer_host: 10.0.0.1\n", Role::kPrefill).ok());
}

TEST(MeaningTest, ProxyIsOneMoreEndpoint) {
  const Config config = Good(
      "pd_proxy_host: 127.0.0.1\npd_proxy_port: 7501\nrouter: {endpoints: ['127.0.0.1:7500']}\n");
  EXPECT_THAT(config.router.endpoints, ElementsAre("127.0.0.1:7500", "127.0.0.1:7501"));
  EXPECT_THAT(Good("pd_proxy_host: 127.0.0.1\n").router.endpoints, ElementsAre("127.0.0.1:7500"));
}

TEST(MeaningTest, ChannelPinsTransports) {
  EXPECT_THAT(Good("transfer_channel: shm\n").transfer.transports, ElementsAre("shm"));
  EXPECT_TRUE(Good("transfer_channel: nixl\n").transfer.transports.empty());
  EXPECT_THAT(Errors("transfer_channel: mooncake\n"), HasSubstr("expected one of ucx, shm, tcp"));
  EXPECT_THAT(Errors("nixl_backends: [GDS]\n"), HasSubstr("UCX"));
}

TEST(MeaningTest, OldBufferNamesAreTheNewOnesUnlessTheNewOnesAreSpoken) {
  EXPECT_EQ(Good("nixl_buffer_size: 1GiB\n").flat.pd_buffer_bytes, 1u << 30);
  const auto staging = Load("pd_role: sender\nnixl_buffer_size: 1GiB\n");
  ASSERT_TRUE(staging.ok());
  EXPECT_EQ(staging->config.flat.pd_buffer_bytes, 0u);
  EXPECT_EQ(staging->notices.back().text, "ignored keys: nixl_buffer_size");
}

TEST(MeaningTest, AttentionSugarNamesOneKernel) {
  EXPECT_EQ(Good("use_flexdecoding: true\n").decode.attention, "flex");
  EXPECT_EQ(Good("use_flashmla: auto\n").decode.attention, "auto");
  EXPECT_THAT(Errors("use_flashmla: true\nuse_flexdecoding: true\n"), HasSubstr("got both"));
}

TEST(MeaningTest, InternalServerIsTheWorkersHttpWhereItIsOn) {
  const std::string text =
      "internal_api_server_enabled: true\ninternal_api_server_port_start: 7999\n";
  EXPECT_EQ(Good(text, Role::kDecode).decode.http_port, 7999);
  EXPECT_EQ(Good(text, Role::kPrefill).prefill.http_port, 7999);
  EXPECT_EQ(Good("internal_api_server_port_start: 7999\n", Role::kDecode).decode.http_port, 8200);
}

TEST(MeaningTest, PasswordInAUrlIsRefusedAndNotShown) {
  const std::string errors = Errors("remote_url: redis://user:canary@host:1\n");
  EXPECT_THAT(errors, HasSubstr("cache.remote_credentials_file"));
  EXPECT_THAT(errors, ::testing::Not(HasSubstr("canary")));
}

TEST(MeaningTest, UnknownExtraAndOtherPolicyWarn) {
  const auto loaded = Load("extra_config: {use_odirect: true, my_thing: 1}\ncache_policy: LFU\n");
  ASSERT_TRUE(loaded.ok());
  std::vector<std::string> texts;
  for (const Notice& notice : loaded->notices) texts.push_back(notice.text);
  EXPECT_THAT(texts, Contains("f.yaml:1: extra_config.my_thing: ignored: nothing here knows it"));
  EXPECT_THAT(texts, Contains("f.yaml:2: cache_policy: LFU runs as LRU"));
}

}  // namespace
}  // namespace baton
