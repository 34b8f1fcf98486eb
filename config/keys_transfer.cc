// Rows of `transfer:`, `prefill:` and `decode:`.
#include "config/keys.h"
#include "config/text_rules.h"

namespace baton {
namespace {

constexpr Effect kLater = Effect::kLater;
// Workspaces are sized from these: bounds far above any model's use and below any machine's end.
constexpr std::int64_t kStepTokensMax = 1 << 20;
constexpr std::int64_t kSequencesMax = 8192;

template <auto kMember>
constexpr Landing Transfer() {
  return At<&Config::transfer, kMember>();
}

bool IsTransport(absl::string_view text) {
  return text == "tcp" || text == "shm" || text == "rdma";
}
constexpr TextRule kTransport = {"tcp, shm, rdma", &IsTransport};

constexpr Key kTransferKeys[] = {
    {"transfer.host", Text(kHost), "127.0.0.1",
     "where hand-offs arrive; off loopback is refused until internal TLS exists",
     Transfer<&TransferConfig::host>()},
    {"transfer.tcp_ports", Text(kPortList), "7300-7309",
     "ports for hand-offs, UCX_TCP_PORT_RANGE; a list gives one to each worker of the machine",
     Transfer<&TransferConfig::tcp_ports>()},
    {"transfer.net_devices", List(), "[]", "UCX_NET_DEVICES; none = those of loopback",
     Transfer<&TransferConfig::net_devices>()},
    {"transfer.transports", ListOr("auto", kTransport), "auto",
     "best first; auto = the best that both ends have", Transfer<&TransferConfig::transports>()},
    {"transfer.require_transport", Text(kTransport), "null",
     "refuse to pair on anything else, so that TCP is never taken in silence",
     Transfer<&TransferConfig::require_transport>()},
    {"transfer.one_sided", Boolean(), "false", "put pages straight into the peer's memory (RDMA)",
     Transfer<&TransferConfig::one_sided>(), kLater},
    {"transfer.checksum", OneOf("all|sample|off"), "all",
     "which one-sided puts are checked; validated messages always are",
     Transfer<&TransferConfig::checksum>(), kLater},
    {"transfer.layer_group", Integer(1, 4096, "layers"), "8",
     "layers that go together while later ones of the last chunk compute",
     Transfer<&TransferConfig::layer_group>()},
    {"transfer.overlap_tokens_min", Integer(0, kIntMax, "tokens"), "512",
     "a last chunk of fewer tokens is sent at once",
     Transfer<&TransferConfig::overlap_tokens_min>()},
    {"transfer.window_ms", Integer(1, 60000, "ms"), "50",
     "bytes in flight to one peer, in time at its measured rate",
     Transfer<&TransferConfig::window_ms>()},
    {"transfer.lease_ms", Integer(1, 3600000, "ms"), "5000",
     "how long a grant holds without renewal", Transfer<&TransferConfig::lease_ms>()},
    {"transfer.renew_ms", Integer(1, 3600000, "ms"), "1000", "how often a grant is renewed",
     Transfer<&TransferConfig::renew_ms>()},
    {"transfer.stall_ms", Integer(1, 3600000, "ms"), "30000",
     "a hand-off without progress for so long is given up", Transfer<&TransferConfig::stall_ms>()},
    {"transfer.keepalive_ms", Integer(1, 3600000, "ms"), "1000", "how often a silent peer is asked",
     Transfer<&TransferConfig::keepalive_ms>()},
    {"transfer.on_failure", OneOf("recompute|fail"), "recompute",
     "a failed hand-off is computed again elsewhere, or fails its request",
     Transfer<&TransferConfig::on_failure>(), kLater},
};

template <auto kMember>
constexpr Landing Prefill() {
  return At<&Config::prefill, kMember>();
}
template <auto kMember>
constexpr Landing Decode() {
  return At<&Config::decode, kMember>();
}

constexpr char kAttention[] = "auto|flashmla|flex|reference";

constexpr Key kWorkerKeys[] = {
    {"prefill.http_port", Integer(0, 65535, "port"), "8100", "health and metrics; 0 = any free",
     Prefill<&WorkerRoleConfig::http_port>()},
    {"prefill.grpc_port", Integer(0, 65535, "port"), "7100", "invitations by routers; 0 = any free",
     Prefill<&WorkerRoleConfig::grpc_port>(), kLater},
    {"prefill.step_tokens_max", Integer(1, kStepTokensMax, "tokens"), "8192",
     "prompt tokens of one step: the size of a chunk",
     Prefill<&WorkerRoleConfig::step_tokens_max>()},
    {"prefill.sequences_max", Integer(1, kSequencesMax, "sequences"), "16", "prompts in one step",
     Prefill<&WorkerRoleConfig::sequences_max>()},
    {"prefill.attention", OneOf(kAttention), "auto",
     "the attention kernel; never a silent fallback", Prefill<&WorkerRoleConfig::attention>(),
     kLater},
    {"decode.http_port", Integer(0, 65535, "port"), "8200", "health and metrics; 0 = any free",
     Decode<&WorkerRoleConfig::http_port>()},
    {"decode.grpc_port", Integer(0, 65535, "port"), "7200", "invitations by routers; 0 = any free",
     Decode<&WorkerRoleConfig::grpc_port>(), kLater},
    {"decode.step_tokens_max", Integer(1, kStepTokensMax, "tokens"), "2048",
     "tokens of one step, of short prompts that run here too",
     Decode<&WorkerRoleConfig::step_tokens_max>()},
    {"decode.sequences_max", Integer(1, kSequencesMax, "sequences"), "256",
     "sequences that run at a time", Decode<&WorkerRoleConfig::sequences_max>()},
    {"decode.attention", OneOf(kAttention), "auto", "the attention kernel; never a silent fallback",
     Decode<&WorkerRoleConfig::attention>(), kLater},
};

}  // namespace

absl::Span<const Key> TransferKeys() { return kTransferKeys; }
absl::Span<const Key> WorkerKeys() { return kWorkerKeys; }

}  // namespace baton
