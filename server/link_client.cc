#include "server/link_client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/log.h"
#include "proto/link.grpc.pb.h"
#include "server/link_stream.h"
#include "server/loopback_address.h"
#include "server/redial.h"

namespace baton {
namespace {

using Clock = std::chrono::steady_clock;
using ClientReactor = grpc::ClientBidiReactor<link::WorkerMessage, link::RouterMessage>;

/// gRPC shares channels among stubs; here each has one owner.
auto ChannelTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kLinkPingMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kLinkPingPatienceMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLinkWindowBytes);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kLinkConnectMs);  // time to connect
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a dial is a connection of its own
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kLinkMessageBytesMax);
  arguments.SetMaxSendMessageSize(kLinkMessageBytesMax);
  const std::string scheme = address.front() == '[' ? "ipv6:" : "ipv4:";
  return grpc::CreateCustomChannel(scheme + address, grpc::InsecureChannelCredentials(), arguments);
}

// A router's stream at the worker. It is up when the router has answered the call.
class ClientStream final : public LinkStream<ClientReactor, WorkerLinkEvent, link::WorkerMessage> {
 public:
  ClientStream(const std::string& address, LinkId link, const WorkerLinkSink& sink,
               std::function<void()> wake)
      : LinkStream(link, sink, std::move(wake)),
        address_(address),
        stub_(link::RouterLink::NewStub(ChannelTo(address))) {}

  void Begin() {
    stub_->async()->Link(&context_, this);
    AddHold();  // until EndStream: writes start outside of gRPC's calls
    StartCall();
  }

  const std::string& address() const { return address_; }

  void OnReadInitialMetadataDone(bool ok) override {
    if (!ok) return End();
    WorkerLinkEvent event = MakeEvent(LinkEventKind::kUp);
    event.address = address_;
    Deliver(std::move(event));
  }
  void OnDone(const grpc::Status& status) override {
    Done(status.ok() ? ""
                     : absl::StrCat("gRPC status ", static_cast<int>(status.error_code()), ": ",
                                    status.error_message()));
  }

 private:
  bool Admit(WorkerLinkEvent&) override { return true; }
  void CancelStream() override { context_.TryCancel(); }
  void EndStream() override { RemoveHold(); }
  bool LeaveStream() override {
    StartWritesDone();
    return false;  // the router ends the call
  }

  const std::string address_;
  const std::unique_ptr<link::RouterLink::Stub> stub_;
  grpc::ClientContext context_;
};

}  // namespace

class LinkClient::Impl {
 public:
  Impl(std::vector<HostPort> endpoints, std::uint64_t seed, WorkerLinkSink sink);

  void Send(LinkId link, link::WorkerMessage&& message);
  void Close(LinkId link);

 private:
  // One address of a router, dialled for as long as a name stands for it.
  struct Target {
    explicit Target(Instant now) : redial(now) {}
    Redial redial;
    bool wanted = true;
    bool connected = false;  // or connecting
    Instant dialled_at{};
    Instant failing_since = kNever;  // no dial has come through since
    Instant tell_at{};               // not before
  };

  void Run(const std::stop_token& stop);
  void ResolveNames(Instant now);
  void TellOf(const HostPort& endpoint, const absl::Status& why, Instant now);
  Instant DialWhoIsDue(Instant now);
  void Dial(const std::string& address);
  Instant Sweep(Instant now);
  void OnGone(const ClientStream& stream, Instant now);
  void LeaveAll();
  void CancelAll();

  const std::vector<HostPort> endpoints_;
  const WorkerLinkSink sink_;
  // the rpc thread's
  std::mt19937_64 random_;
  std::map<std::string, Target> targets_;
  Instant resolve_at_{};
  std::map<std::string, Instant> tell_at_;  // of hosts that did not resolve, not before
  std::uint32_t links_ = 0;

  std::mutex mutex_;  // guards the two below; taken before a stream's own
  std::condition_variable_any rung_;
  bool rang_ = false;
  std::map<LinkId, std::unique_ptr<ClientStream>> streams_;
  std::jthread thread_;  // "rpc"; last, so that it ends first
};

LinkClient::Impl::Impl(std::vector<HostPort> endpoints, std::uint64_t seed, WorkerLinkSink sink)
    : endpoints_(std::move(endpoints)), sink_(std::move(sink)), random_(seed) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

// A name that does not resolve keeps the addresses that it had: an outage freezes the list.
void LinkClient::Impl::ResolveNames(Instant now) {
  if (now < resolve_at_) return;
  bool names = false;
  std::set<std::string> wanted;
  bool whole = true;
  for (const HostPort& endpoint : endpoints_) {
    names = names || !endpoint.literal;
    const auto addresses = ResolveLoopback(endpoint);
    if (addresses.ok()) {
      wanted.insert(addresses->begin(), addresses->end());
    } else {
      whole = false;
      TellOf(endpoint, addresses.status(), now);
    }
  }
  for (const std::string& address : wanted) targets_.try_emplace(address, now);
  for (auto& [address, target] : targets_) target.wanted = !whole || wanted.contains(address);
  resolve_at_ = names ? now + kLinkResolveEvery : kNever;
}

void LinkClient::Impl::TellOf(const HostPort& endpoint, const absl::Status& why, Instant now) {
  Instant& tell_at = tell_at_[endpoint.host];
  if (now < tell_at) return;
  tell_at = now + kLinkTellEvery;
  BATON_WARN("cannot reach router %s: %s; trying again", endpoint.host, why.message());
}

Instant LinkClient::Impl::DialWhoIsDue(Instant now) {
  Instant next = resolve_at_;
  for (auto& [address, target] : targets_) {
    if (target.connected || !target.wanted) continue;
    if (target.redial.next() > now) {
      next = std::min(next, target.redial.next());
      continue;
    }
    target.connected = true;
    target.dialled_at = now;
    Dial(address);
  }
  return next;
}

void LinkClient::Impl::Dial(const std::string& address) {
  auto stream = std::make_unique<ClientStream>(address, LinkId{links_++}, sink_, [this] {
    std::lock_guard guard(mutex_);
    rang_ = true;
    rung_.notify_one();
  });
  ClientStream* const reactor = stream.get();
  {
    std::lock_guard lock(mutex_);
    streams_.emplace(reactor->link(), std::move(stream));
  }
  reactor->Begin();
}

Instant LinkClient::Impl::Sweep(Instant now) {
  Instant next = kNever;
  std::vector<ClientStream*> streams;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [link, stream] : streams_) streams.push_back(stream.get());
  }
  // Only this thread erases, so the pointers hold without the lock, which sinks must not be under.
  for (ClientStream* stream : streams) {
    if (stream->Retry()) next = std::min(next, now + kLinkOfferAgain);
    if (!stream->gone()) continue;
    OnGone(*stream, now);
    std::lock_guard lock(mutex_);
    streams_.erase(stream->link());
  }
  return next;
}

void LinkClient::Impl::OnGone(const ClientStream& stream, Instant now) {
  Target& target = targets_.at(stream.address());
  target.connected = false;
  target.redial.OnEnded(now, stream.up() ? now - target.dialled_at : Duration(0), random_);
  if (stream.up()) {
    target.failing_since = kNever;
    return;
  }
  target.failing_since = std::min(target.failing_since, now);
  if (now - target.failing_since < kLinkTellAfter || now < target.tell_at) return;
  target.tell_at = now + kLinkTellEvery;
  BATON_WARN("cannot reach router %s: %s; trying again", stream.address(), stream.reason());
}

// A stream that is not up has no peer that could end it in order.
void LinkClient::Impl::LeaveAll() {
  std::lock_guard lock(mutex_);
  for (const auto& [link, stream] : streams_) {
    stream->Leave();
    if (!stream->up()) stream->Cancel();
  }
}

void LinkClient::Impl::CancelAll() {
  std::lock_guard lock(mutex_);
  for (const auto& [link, stream] : streams_) stream->Cancel();
}

void LinkClient::Impl::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Instant now = Clock::now();
    const Instant offer = Sweep(now);
    ResolveNames(now);
    const Instant dial = DialWhoIsDue(now);
    const Instant next = std::min({offer, dial, now + std::chrono::hours(1)});
    std::unique_lock lock(mutex_);
    rung_.wait_until(lock, stop, next, [this] { return rang_; });
    rang_ = false;
  }
  LeaveAll();
  const Instant force = Clock::now() + kLinkLeaveWait;
  const Instant give_up = force + kLinkStopWait;
  for (;;) {
    if (Clock::now() >= force) CancelAll();
    Sweep(Clock::now());
    std::unique_lock lock(mutex_);
    if (streams_.empty()) return;
    BATON_CHECK(Clock::now() < give_up);  // gRPC ends a cancelled call at once
    rung_.wait_until(lock, Clock::now() + kLinkOfferAgain, [this] { return rang_; });
    rang_ = false;
  }
}

void LinkClient::Impl::Send(LinkId link, link::WorkerMessage&& message) {
  std::lock_guard lock(mutex_);
  const auto found = streams_.find(link);
  if (found != streams_.end()) found->second->Send(std::move(message), /*last=*/false);
}

void LinkClient::Impl::Close(LinkId link) {
  std::lock_guard lock(mutex_);
  const auto found = streams_.find(link);
  if (found != streams_.end()) found->second->Cancel();
}

LinkClient::LinkClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LinkClient::~LinkClient() = default;

absl::StatusOr<std::unique_ptr<LinkClient>> LinkClient::Start(const Options& options,
                                                              WorkerLinkSink sink) {
  std::vector<HostPort> endpoints;
  for (const std::string& text : options.endpoints) {
    auto endpoint = ParseHostPort(text);
    if (!endpoint.ok()) return endpoint.status();
    if (absl::Status status = CheckLoopback(endpoint->host); !status.ok()) return status;
    endpoints.push_back(*std::move(endpoint));
  }
  if (endpoints.empty()) {
    return absl::InvalidArgumentError("router.endpoints is empty: no router to register with");
  }
  return std::unique_ptr<LinkClient>(
      new LinkClient(std::make_unique<Impl>(std::move(endpoints), options.seed, std::move(sink))));
}

void LinkClient::Send(LinkId link, link::WorkerMessage&& message) {
  impl_->Send(link, std::move(message));
}
void LinkClient::Close(LinkId link) { impl_->Close(link); }

}  // namespace baton
