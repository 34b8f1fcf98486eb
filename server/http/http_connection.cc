#include "server/http/http_connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "base/log.h"
#include "server/http/http_connection_table.h"
#include "server/http/http_head_scan.h"

namespace baton {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

// After a refusal the client gets that long to read it before the connection is torn down.
constexpr Duration kDrainTime = std::chrono::seconds(2);

Instant Now() { return std::chrono::steady_clock::now(); }

std::string ToString(boost::beast::string_view view) { return {view.data(), view.size()}; }

}  // namespace

HttpConnection::HttpConnection(HttpConnectionTable& table, std::uint64_t id,
                               asio::ip::tcp::socket socket, std::string address, Instant now)
    : table_(table),
      id_(id),
      socket_(std::move(socket)),
      address_(std::move(address)),
      phase_since_(now) {}

void HttpConnection::EnterPhase(Phase phase) {
  phase_ = phase;
  phase_since_ = Now();
}

void HttpConnection::WaitForBytes() {
  if (wait_in_flight_) return;
  wait_in_flight_ = true;
  ++operations_;
  // No buffer is bound while we wait: an idle connection costs its object alone.
  socket_.async_wait(asio::ip::tcp::socket::wait_read,
                     [this](const boost::system::error_code& error) { OnReadable(error); });
}

void HttpConnection::OnReadable(const boost::system::error_code& error) {
  --operations_;
  wait_in_flight_ = false;
  if (error && phase_ != Phase::kClosing) return Gone();
  if (phase_ == Phase::kClosing && !draining_) return table_.Release(*this);
  if (!ReadSome()) return OnReadEnd();
  if (!draining_) Advance();
  const bool read_ahead_full =
      phase_ == Phase::kInFlight && in_.size() >= table_.limits().pipelined_bytes_max;
  if (!read_ahead_full) return WaitForBytes();
  // Unread bytes would hide that it leaves. With the answer given it may only be quick to ask
  // again.
  if (!reply_ended_) Gone();
}

// The client shut its side. With the answer complete it may only be done asking: let it read on.
void HttpConnection::OnReadEnd() {
  if (phase_ != Phase::kInFlight || !reply_ended_) return Gone();
  keep_alive_ = false;
}

// False when nothing more will come.
bool HttpConnection::ReadSome() {
  boost::system::error_code error;
  std::vector<char>& buffer = table_.read_buffer();
  const std::size_t bytes = socket_.read_some(asio::buffer(buffer), error);
  if (error == asio::error::would_block || error == asio::error::try_again) return true;
  if (error) return false;
  if (!draining_) in_.append(buffer.data(), bytes);
  return true;
}

// Every branch either consumes from `in_` and goes on, or waits for more.
void HttpConnection::Advance() {
  if (phase_ == Phase::kIdle && !in_.empty()) EnterPhase(Phase::kHead);
  if (phase_ == Phase::kHead && !AdvanceHead()) return;
  if (phase_ == Phase::kBody && AdvanceBody()) Dispatch();
}

bool HttpConnection::AdvanceHead() {
  const HeadScan scan = ScanHead(in_, table_.limits());
  if (scan.verdict == HeadScan::Verdict::kNeedMore) return false;
  if (scan.verdict == HeadScan::Verdict::kRefused) {
    Refuse(scan.status, scan.message);
    return false;
  }
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(table_.limits().head_bytes_max));
  parser_->body_limit(table_.limits().body_bytes_max);
  boost::system::error_code error;
  parser_->put(asio::buffer(in_.data(), scan.head_bytes), error);
  in_.erase(0, scan.head_bytes);
  if (error == http::error::body_limit) {
    Refuse(413, "the body is too large");
    return false;
  }
  version_ = static_cast<int>(parser_->get().version());
  if (error == http::error::bad_version || version_ > 11) {
    Refuse(505, "HTTP/1.1 is spoken here");
    return false;
  }
  if ((error && error != http::error::need_more) || !parser_->is_header_done()) {
    Refuse(400, "the request's head cannot be read");
    return false;
  }
  parser_->eager(true);
  EnterPhase(Phase::kBody);
  body_bytes_ = 0;
  const bool expects =
      absl::EqualsIgnoreCase(ToString(parser_->get()[http::field::expect]), "100-continue");
  if (expects && !parser_->is_done() && in_.empty()) {
    pending_ += "HTTP/1.1 100 Continue\r\n\r\n";
    StartWrite();
  }
  return true;
}

// True when the request is complete.
bool HttpConnection::AdvanceBody() {
  boost::system::error_code error;
  while (!parser_->is_done() && !in_.empty()) {
    const std::size_t taken = parser_->put(asio::buffer(in_), error);
    in_.erase(0, taken);
    body_bytes_ += taken;
    if (!ChargeBody(taken)) {
      Refuse(503, "too many large requests are being read; try again");
      return false;
    }
    if (error == http::error::need_more) {
      error = {};
      if (taken > 0) continue;
      // A chunk's size line or a trailer, so far without an end.
      if (in_.size() > table_.limits().head_bytes_max) Refuse(400, "a chunk's head has no end");
      return false;
    }
    if (error == http::error::body_limit) {
      Refuse(413, "the body is too large");
      return false;
    }
    if (error) {
      Refuse(400, "the request's body is framed wrongly");
      return false;
    }
  }
  return parser_->is_done();
}

// False when all bodies together are at their bound. Small ones pass even then.
bool HttpConnection::ChargeBody(std::size_t bytes) {
  const std::size_t small = table_.limits().small_body_bytes;
  const std::size_t counted = std::min(bytes, body_bytes_ > small ? body_bytes_ - small : 0);
  if (!table_.ChargeBodies(counted)) return false;
  body_charge_ += counted;
  return true;
}

void HttpConnection::ReturnBody() { table_.ReturnBodies(std::exchange(body_charge_, 0)); }

HttpRequest HttpConnection::TakeRequest() {
  http::request<http::string_body> message = parser_->release();
  parser_.reset();
  HttpRequest request;
  request.method = ToString(message.method_string());
  const std::string target = ToString(message.target());
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  for (const auto& field : message) {
    request.headers.push_back({ToString(field.name_string()), ToString(field.value())});
  }
  request.body = std::move(message.body());
  request.read_at = Now();
  return request;
}

void HttpConnection::Dispatch() {
  const bool upgrade = parser_->upgrade();
  keep_alive_ = parser_->keep_alive() && !upgrade && !table_.draining();
  HttpRequest request = TakeRequest();
  EnterPhase(Phase::kInFlight);
  head_only_ = request.method == "HEAD";
  streaming_ = false;
  reply_ended_ = false;
  table_.ExchangeBegins();
  const HttpRoutes::Match match = table_.routes().Find(request.method, request.path);
  route_.assign(match.route.data(), match.route.size());
  if (match.handler != nullptr) {
    (*match.handler)(std::move(request), HttpReply(&table_, id_));
    return;
  }
  if (match.allowed.empty()) {
    Send(ErrorResponse(DoorError(404, "there is nothing at this path")));
    return;
  }
  HttpResponse response = ErrorResponse(DoorError(405, "this path takes " + match.allowed));
  response.headers.push_back({"Allow", match.allowed});
  Send(std::move(response));
}

// Answers without a handler and closes: what follows in the stream cannot be trusted to be a
// request.
void HttpConnection::Refuse(int status, absl::string_view message) {
  parser_.reset();
  ReturnBody();
  EnterPhase(Phase::kInFlight);
  keep_alive_ = false;
  head_only_ = false;
  streaming_ = false;
  reply_ended_ = false;
  route_.clear();
  gone_ = nullptr;
  table_.ExchangeBegins();
  Send(ErrorResponse(DoorError(status, message)));
}

void HttpConnection::EndExchange() {
  table_.ExchangeEnds();
  ReturnBody();
  gone_ = nullptr;
  if (!keep_alive_) return CloseAfterDraining();
  if (in_.empty()) std::string().swap(in_);  // what a large body has grown is given back
  EnterPhase(Phase::kIdle);
  Advance();
  if (phase_ != Phase::kClosing) WaitForBytes();
}

void HttpConnection::Sweep(Instant now) {
  const HttpLimits& limits = table_.limits();
  const Duration in_phase = now - phase_since_;
  if (phase_ == Phase::kClosing) {
    if (draining_ && in_phase > kDrainTime) Close();
    return;
  }
  if (write_in_flight_ && now - progress_at_ > limits.stall_time_max) return Gone();
  if (phase_ == Phase::kIdle && in_phase > limits.idle_time_max) return Close();
  if (phase_ == Phase::kHead && in_phase > limits.head_time_max) {
    return Refuse(408, "the request's head came too slowly");
  }
  if (phase_ == Phase::kBody && in_phase > limits.body_grace) {
    const double allowed = ToSeconds(in_phase - limits.body_grace);
    const double wanted = allowed * static_cast<double>(limits.body_rate_min);
    if (static_cast<double>(body_bytes_) < wanted) {
      return Refuse(408, "the request's body came too slowly");
    }
  }
}

void HttpConnection::CloseWhenIdle() {
  keep_alive_ = false;
  if (phase_ == Phase::kIdle) Close();
}

// The client left, stalled or broke the connection.
void HttpConnection::Gone() {
  if (phase_ == Phase::kInFlight) table_.ExchangeEnds();
  std::function<void()> gone = std::move(gone_);
  gone_ = nullptr;
  const bool tell = !reply_ended_ && gone != nullptr;
  reply_ended_ = true;
  if (tell) gone();  // while the object is alive for sure: it may use its HttpReply, which is dead
  Close();
}

// The object may be dead afterwards.
void HttpConnection::Close() {
  phase_ = Phase::kClosing;
  draining_ = false;
  ReturnBody();
  boost::system::error_code ignored;
  socket_.close(ignored);
  table_.Release(*this);
}

// A close with unread bytes resets the connection and may take our answer with it: shut our side
// and eat what still comes, for a short while.
void HttpConnection::CloseAfterDraining() {
  EnterPhase(Phase::kClosing);
  draining_ = true;
  in_.clear();
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  WaitForBytes();
}

void HttpConnection::Abandon() {
  if (!waits_for_answer()) return;
  reply_ended_ = true;
  keep_alive_ = false;
  if (streaming_) {
    // The missing last chunk tells the client that the stream was cut.
    asio::post(table_.io(), [table = &table_, id = id_] {
      if (HttpConnection* connection = table->Find(id)) connection->Gone();
    });
    return;
  }
  reply_ended_ = false;
  BATON_ERROR("http route %s: a request was dropped without an answer", route_);
  Send(ErrorResponse(DoorError(500, "the request was dropped")));
}

}  // namespace baton
