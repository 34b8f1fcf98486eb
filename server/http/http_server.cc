#include "server/http/http_server.h"

#include <utility>
// Asio 1.74 forgets the include above under GCC 12 in C++20.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "server/http/http_connection_table.h"

namespace baton {
namespace {

namespace asio = boost::asio;

constexpr int kListenBacklog = 1024;  // a burst of load generators' connections; the kernel caps it
constexpr Duration kAcceptRetry = Milliseconds(100);  // after out of file descriptors

}  // namespace

class HttpServer::Impl {
 public:
  explicit Impl(HttpServerOptions options)
      : io_(1),
        work_(asio::make_work_guard(io_)),
        acceptor_(io_),
        accept_retry_(io_),
        table_(io_, options.limits, std::move(options.on_answer)) {}

  ~Impl() { Stop(); }

  absl::Status Bind(const std::string& host, int port) {
    boost::system::error_code error;
    const std::string literal = host == "localhost" ? "127.0.0.1" : host;
    const asio::ip::address address = asio::ip::make_address(literal, error);
    if (error || port < 0 || port > 65535) {
      return absl::InvalidArgumentError(
          absl::StrFormat("cannot listen on %s:%d: give a literal address and a port", host, port));
    }
    const asio::ip::tcp::endpoint endpoint(address, static_cast<unsigned short>(port));
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(kListenBacklog, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    if (!error) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrFormat("cannot listen on %s:%d: %s; free the port or choose another", host, port,
                        error.message()));
  }

  void Every(Duration period, std::function<void(Instant)> tick) {
    ticks_.push_back(std::make_unique<Ticker>(io_, period, std::move(tick)));
  }

  void Start() {
    Every(table_.limits().sweep_period, [this](Instant now) { table_.Sweep(now); });
    for (const auto& ticker : ticks_) ticker->Arm();
    Accept();
    thread_ = std::jthread([this] { io_.run(); });
  }

  void Stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  void Post(std::function<void()> work) { asio::post(io_, std::move(work)); }

  void StopAccepting() {
    Post([this] {
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      table_.Drain();
    });
  }

  HttpConnectionTable& table() { return table_; }
  int port() const { return port_; }

 private:
  struct Ticker {
    Ticker(asio::io_context& io, Duration every, std::function<void(Instant)> call)
        : timer(io), period(every), tick(std::move(call)) {}

    void Arm() {
      timer.expires_after(period);
      timer.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        tick(std::chrono::steady_clock::now());
        Arm();
      });
    }

    asio::steady_timer timer;
    const Duration period;
    const std::function<void(Instant)> tick;
  };

  void Accept() {
    acceptor_.async_accept(
        [this](const boost::system::error_code& error, asio::ip::tcp::socket socket) {
          if (!acceptor_.is_open()) return;
          if (!error) {
            table_.Add(std::move(socket));
            return Accept();
          }
          BATON_WARN("http accept failed: %s", error.message());
          accept_retry_.expires_after(kAcceptRetry);
          accept_retry_.async_wait([this](const boost::system::error_code& cancelled) {
            if (!cancelled && acceptor_.is_open()) Accept();
          });
        });
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer accept_retry_;
  std::vector<std::unique_ptr<Ticker>> ticks_;
  HttpConnectionTable table_;
  int port_ = 0;
  std::jthread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Listen(HttpServerOptions options) {
  const std::string host = options.host;
  const int port = options.port;
  auto impl = std::make_unique<Impl>(std::move(options));
  if (absl::Status bound = impl->Bind(host, port); !bound.ok()) return bound;
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::Route(absl::string_view method, absl::string_view path, HttpHandler handler) {
  impl_->table().routes().Add(method, path, std::move(handler));
}

void HttpServer::Every(Duration period, std::function<void(Instant now)> tick) {
  impl_->Every(period, std::move(tick));
}

void HttpServer::Start() { impl_->Start(); }
void HttpServer::Stop() { impl_->Stop(); }
void HttpServer::Post(std::function<void()> work) { impl_->Post(std::move(work)); }
void HttpServer::StopAccepting() { impl_->StopAccepting(); }
int HttpServer::exchanges_open() const { return impl_->table().exchanges_open(); }
int HttpServer::port() const { return impl_->port(); }

}  // namespace baton
