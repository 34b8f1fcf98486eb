#include "kvtransfer/ucx_transport.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "kvtransfer/ucx_address.h"
#include "kvtransfer/ucx_receiver.h"
#include "kvtransfer/ucx_sender.h"
#include "kvtransfer/ucx_status.h"
#include "kvtransfer/ucx_wire.h"
#include "kvtransfer/ucx_worker.h"

namespace baton {
namespace {

constexpr std::uint64_t kFramesPerPollMax = 64;
constexpr auto kPollTimeMax = std::chrono::microseconds(200);
constexpr auto kShutdownTimeMax = std::chrono::seconds(1);

StreamId RandomStream() {
  std::random_device random;
  std::uint64_t id = 0;
  while (id == 0) id = (std::uint64_t{random()} << 32) | random();
  return static_cast<StreamId>(id);
}

/// The worker and what hangs on it. Peers live in a map with stable places: UCX keeps pointers to
/// them until their endpoints are closed.
class UcxTransport final : public Transport {
 public:
  explicit UcxTransport(const UcxOptions& options)
      : peers_max_(static_cast<std::size_t>(options.peers_max)),
        sender_(options, events_),
        receiver_(events_) {}
  ~UcxTransport() override;

  absl::Status Open(const UcxOptions& options);

  void SetSink(FrameSink* sink) override { receiver_.SetSink(sink); }
  std::string address() const override { return WrapUcxAddress(worker_->address()); }
  absl::StatusOr<PeerId> Connect(absl::string_view address) override;
  void Close(PeerId peer) override;
  absl::Status Write(PeerId peer, std::span<const FrameWrite> frames, std::uint64_t tag) override;
  absl::Status Send(PeerId peer, absl::string_view payload) override;
  void Poll(std::vector<TransportEvent>& events) override;
  int wake_fd() const override { return worker_->wake_fd(); }
  bool ArmWakeup() override;
  PeerDescription Describe(PeerId peer) const override;

 private:
  static void OnEndpointError(void* arg, ucp_ep_h endpoint, ucs_status_t status);
  absl::StatusOr<UcxPeer*> OpenPeer(PeerId peer);
  void Progress();
  void Settle();
  bool Settled(UcxPeer& peer);

  const std::size_t peers_max_;
  std::vector<TransportEvent> events_;
  UcxSender sender_;
  UcxReceiver receiver_;
  std::map<PeerId, UcxPeer> peers_;
  std::uint32_t next_peer_ = 0;
  std::unique_ptr<UcxWorker> worker_;  // last: its end may still report to the above
};

UcxTransport::~UcxTransport() {
  if (worker_ == nullptr) return;
  receiver_.SetSink(nullptr);
  for (auto& [id, peer] : peers_) Close(id);
  const Instant end = std::chrono::steady_clock::now() + kShutdownTimeMax;
  while (!peers_.empty() && std::chrono::steady_clock::now() < end) {
    ucp_worker_progress(worker_->get());
    Settle();
  }
}

absl::Status UcxTransport::Open(const UcxOptions& options) {
  BATON_ASSIGN_OR_RETURN(worker_, UcxWorker::Open(options));
  if (address().size() > kTransportAddressBytesMax) {
    return absl::InvalidArgumentError(
        "this worker's address is too long: name fewer devices in transfer.net_devices");
  }
  return receiver_.Attach(*worker_);
}

absl::StatusOr<PeerId> UcxTransport::Connect(absl::string_view address) {
  std::string ucx;
  BATON_ASSIGN_OR_RETURN(ucx, UnwrapUcxAddress(address));
  if (peers_.size() >= peers_max_) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%u peers are connected: no more are served", peers_.size()));
  }
  const auto id = static_cast<PeerId>(next_peer_++);
  UcxPeer& peer = peers_[id];
  peer.id = id;
  peer.stream = RandomStream();
  ucp_ep_params_t params{};
  params.field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS | UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE |
                      UCP_EP_PARAM_FIELD_ERR_HANDLER;
  params.address = reinterpret_cast<const ucp_address_t*>(ucx.data());
  params.err_mode = UCP_ERR_HANDLING_MODE_PEER;
  params.err_handler.cb = &UcxTransport::OnEndpointError;
  params.err_handler.arg = &peer;
  const ucs_status_t status = ucp_ep_create(worker_->get(), &params, &peer.endpoint);
  if (status != UCS_OK) {
    peers_.erase(id);
    return FromUcx(status, "no transport of transfer.transports reaches the peer");
  }
  return id;
}

void UcxTransport::OnEndpointError(void* arg, ucp_ep_h, ucs_status_t status) {
  MarkLost(*static_cast<UcxPeer*>(arg), status);
}

void UcxTransport::Close(PeerId id) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.state != UcxPeer::State::kOpen) return;
  found->second.state = UcxPeer::State::kClosed;
}

absl::StatusOr<UcxPeer*> UcxTransport::OpenPeer(PeerId id) {
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.state != UcxPeer::State::kOpen) {
    return absl::UnavailableError(absl::StrFormat("peer %u is lost or closed", Index(id)));
  }
  return &found->second;
}

absl::Status UcxTransport::Write(PeerId id, std::span<const FrameWrite> frames, std::uint64_t tag) {
  UcxPeer* peer = nullptr;
  BATON_ASSIGN_OR_RETURN(peer, OpenPeer(id));
  return sender_.Write(*peer, frames, tag);
}

absl::Status UcxTransport::Send(PeerId id, absl::string_view payload) {
  UcxPeer* peer = nullptr;
  BATON_ASSIGN_OR_RETURN(peer, OpenPeer(id));
  return sender_.Send(*peer, payload);
}

void UcxTransport::Poll(std::vector<TransportEvent>& events) {
  Progress();
  Settle();
  for (TransportEvent& event : events_) events.push_back(std::move(event));
  events_.clear();
}

/// One call of ucp_worker_progress takes what one receive buffer holds, so that the last one may
/// pass the bound by that much.
void UcxTransport::Progress() {
  const Instant end = std::chrono::steady_clock::now() + kPollTimeMax;
  const std::uint64_t frames_end = receiver_.frames() + kFramesPerPollMax;
  while (ucp_worker_progress(worker_->get()) != 0) {
    if (receiver_.frames() >= frames_end || std::chrono::steady_clock::now() >= end) return;
  }
}

void UcxTransport::Settle() {
  for (auto at = peers_.begin(); at != peers_.end();) {
    UcxPeer& peer = at->second;
    if (peer.state == UcxPeer::State::kOpen || !Settled(peer)) {
      ++at;
      continue;
    }
    if (peer.state == UcxPeer::State::kLost) events_.push_back(PeerLost{peer.id, peer.reason});
    at = peers_.erase(at);
  }
}

/// Closes the endpoint of a lost or closed peer by force, which makes UCX report every open send.
/// True when all is over and UCX holds no pointer to the peer any more.
bool UcxTransport::Settled(UcxPeer& peer) {
  if (!peer.close_begun) {
    peer.close_begun = true;
    ucp_request_param_t param{};
    param.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS;
    param.flags = UCP_EP_CLOSE_FLAG_FORCE;
    void* const request = ucp_ep_close_nbx(peer.endpoint, &param);
    if (UCS_PTR_IS_PTR(request)) peer.closing = request;
  }
  if (peer.closing != nullptr) {
    if (ucp_request_check_status(peer.closing) == UCS_INPROGRESS) return false;
    ucp_request_free(peer.closing);
    peer.closing = nullptr;
  }
  return peer.sends_open == 0;
}

bool UcxTransport::ArmWakeup() {
  if (!events_.empty()) return false;
  for (const auto& [id, peer] : peers_) {
    if (peer.state != UcxPeer::State::kOpen) return false;  // its end wants a few polls
  }
  const ucs_status_t status = ucp_worker_arm(worker_->get());
  if (status == UCS_OK) return true;
  if (status != UCS_ERR_BUSY) BATON_WARN("transfer wake-up: ucx says %s", UcxStatusName(status));
  return false;
}

PeerDescription UcxTransport::Describe(PeerId id) const {
  PeerDescription out{"validated", "unknown"};
  const auto found = peers_.find(id);
  if (found == peers_.end() || found->second.state != UcxPeer::State::kOpen) return out;
  char* text = nullptr;
  std::size_t bytes = 0;
  std::FILE* const stream = open_memstream(&text, &bytes);
  if (stream == nullptr) return out;
  ucp_ep_print_info(found->second.endpoint, stream);
  std::fclose(stream);
  out.wire = WireOfEndpointText({text, bytes});
  std::free(text);
  return out;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> MakeUcxTransport(const UcxOptions& options) {
  auto transport = std::make_unique<UcxTransport>(options);
  BATON_RETURN_IF_ERROR(transport->Open(options));
  return std::unique_ptr<Transport>(std::move(transport));
}

}  // namespace baton
