#include "server/link_service.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "proto/link.grpc.pb.h"
#include "server/host_port.h"
#include "server/link_stream.h"
#include "server/loopback_address.h"

namespace baton {
namespace {

using Clock = std::chrono::steady_clock;
using ServerReactor = grpc::ServerBidiReactor<link::WorkerMessage, link::RouterMessage>;

/// gRPC's reflection adds itself to every server of the process; this one's schema is internal.
class WithoutPlugins final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
  }
};

// A worker's stream at the router. The first message must be Register.
class ServerStream final : public LinkStream<ServerReactor, RouterLinkEvent, link::RouterMessage> {
 public:
  ServerStream(grpc::CallbackServerContext* context, LinkId link, const RouterLinkSink& sink,
               std::function<void()> wake)
      : LinkStream(link, sink, std::move(wake)), context_(context) {}

  void Begin() {
    StartSendInitialMetadata();
    ReadFirst();
  }

  Instant opened() const { return opened_; }
  void OnDone() override { Done(context_->IsCancelled() ? "the stream broke" : ""); }

 private:
  bool Admit(RouterLinkEvent& event) override {
    const bool registers = event.message.kind_case() == link::WorkerMessage::kRegister;
    if (registers) event.kind = LinkEventKind::kUp;
    return registers != up();
  }
  void CancelStream() override { context_->TryCancel(); }
  void EndStream() override { Finish(grpc::Status::OK); }
  bool LeaveStream() override {
    Finish(grpc::Status::OK);
    return true;
  }

  grpc::CallbackServerContext* const context_;  // lives until OnDone
  const Instant opened_ = Clock::now();
};

// Ends a call that may not begin.
class RefusedStream final : public ServerReactor {
 public:
  explicit RefusedStream(const std::string& why) {
    Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, why});
  }
  void OnDone() override { delete this; }
};

}  // namespace

class LinkService::Impl final : public link::RouterLink::CallbackService {
 public:
  Impl(const Options& options, RouterLinkSink sink) : options_(options), sink_(std::move(sink)) {}
  ~Impl() override;

  absl::Status Serve();
  void Send(LinkId link, link::RouterMessage&& message);
  void Close(LinkId link);
  int port() const { return port_; }

  ServerReactor* Link(grpc::CallbackServerContext* context) override;

 private:
  void Run(const std::stop_token& stop);
  /// Offers again, drops who never registered, forgets who is gone. When to look next.
  Instant Sweep();

  const Options options_;
  const RouterLinkSink sink_;
  int port_ = 0;
  std::mutex mutex_;  // guards the four below; taken before a stream's own
  std::condition_variable_any rung_;
  bool rang_ = false;
  bool stopping_ = false;
  std::map<LinkId, std::unique_ptr<ServerStream>> streams_;
  std::uint32_t links_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::jthread thread_;  // "rpc"; last, so that it ends first
};

absl::Status LinkService::Impl::Serve() {
  if (absl::Status status = CheckLoopback(options_.host); !status.ok()) return status;
  const std::string address = HostPortText(options_.host, options_.port);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  builder.SetMaxReceiveMessageSize(kLinkMessageBytesMax);
  builder.SetMaxSendMessageSize(kLinkMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kLinkPingMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kLinkPingPatienceMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kLinkPingMs / 2);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLinkWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1);
  builder.SetOption(std::make_unique<WithoutPlugins>());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0) {
    return absl::UnavailableError(absl::StrFormat(
        "cannot listen on %s: the port is taken or may not be used (router.grpc_port)", address));
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  return absl::OkStatus();
}

LinkService::Impl::~Impl() {
  thread_ = {};  // joins: every stream is gone then
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now() + kLinkStopWait);
}

ServerReactor* LinkService::Impl::Link(grpc::CallbackServerContext* context) {
  std::lock_guard lock(mutex_);
  if (stopping_) return new RefusedStream("the router stops");
  if (streams_.size() >= static_cast<std::size_t>(options_.links_max)) {
    return new RefusedStream("this router holds as many links as it may");
  }
  const LinkId link{links_++};
  auto stream = std::make_unique<ServerStream>(context, link, sink_, [this] {
    std::lock_guard guard(mutex_);
    rang_ = true;
    rung_.notify_one();
  });
  ServerStream* const reactor = stream.get();
  streams_.emplace(link, std::move(stream));
  reactor->Begin();
  rang_ = true;  // the wait for its Register has begun
  rung_.notify_one();
  return reactor;
}

void LinkService::Impl::Send(LinkId link, link::RouterMessage&& message) {
  std::lock_guard lock(mutex_);
  const auto found = streams_.find(link);
  if (found == streams_.end()) return;
  const bool last = message.has_refused();
  found->second->Send(std::move(message), last);
}

void LinkService::Impl::Close(LinkId link) {
  std::lock_guard lock(mutex_);
  const auto found = streams_.find(link);
  if (found != streams_.end()) found->second->Cancel();
}

Instant LinkService::Impl::Sweep() {
  const Instant now = Clock::now();
  Instant next = now + std::chrono::hours(1);
  std::vector<ServerStream*> streams;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [link, stream] : streams_) streams.push_back(stream.get());
  }
  // Only this thread erases, so the pointers hold without the lock, which sinks must not be under.
  for (ServerStream* stream : streams) {
    if (stream->Retry()) next = std::min(next, now + kLinkOfferAgain);
    if (stream->gone()) {
      std::lock_guard lock(mutex_);
      streams_.erase(stream->link());
    } else if (!stream->up()) {
      const Instant due = stream->opened() + kLinkRegisterWait;
      if (now >= due) stream->Cancel();
      next = std::min(next, now >= due ? now + kLinkRegisterWait : due);
    }
  }
  return next;
}

void LinkService::Impl::Run(const std::stop_token& stop) {
  Instant force = kNever;
  Instant give_up = kNever;
  for (;;) {
    const Instant next = Sweep();
    std::unique_lock lock(mutex_);
    if (stop.stop_requested()) {
      const bool first = !std::exchange(stopping_, true);
      if (streams_.empty()) return;
      if (first) {
        force = Clock::now() + kLinkLeaveWait;
        give_up = force + kLinkStopWait;
        for (const auto& [link, stream] : streams_) stream->Leave();
      }
      if (Clock::now() >= force) {
        for (const auto& [link, stream] : streams_) stream->Cancel();
      }
      BATON_CHECK(Clock::now() < give_up);  // gRPC ends a cancelled call at once
      rung_.wait_until(lock, Clock::now() + kLinkOfferAgain, [this] { return rang_; });
    } else {
      rung_.wait_until(lock, stop, next, [this] { return rang_; });
    }
    rang_ = false;
  }
}

LinkService::LinkService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LinkService::~LinkService() = default;

absl::StatusOr<std::unique_ptr<LinkService>> LinkService::Start(const Options& options,
                                                                RouterLinkSink sink) {
  auto impl = std::make_unique<Impl>(options, std::move(sink));
  if (absl::Status status = impl->Serve(); !status.ok()) return status;
  return std::unique_ptr<LinkService>(new LinkService(std::move(impl)));
}

void LinkService::Send(LinkId link, link::RouterMessage&& message) {
  impl_->Send(link, std::move(message));
}
void LinkService::Close(LinkId link) { impl_->Close(link); }
int LinkService::port() const { return impl_->port(); }

}  // namespace baton
