// One connection of the HTTP server: read a head, read a body, hand it to a handler, write the
// answer, again. Beast parses; this header is for server/http alone.
//
//        first byte        head complete       body complete       answer written, keep-alive
//   kIdle ------> kHead -------------> kBody ------------> kInFlight ---------------> kIdle
//                   |  refused            |  refused           | answer written, close
//                   +-----------> kClosing <-------------------+     (gone, stalled: at once)
//
// The object lives in a HttpConnectionTable until its last asynchronous operation has come back.
//
// Thread: the server's HTTP thread.
#pragma once

#include <utility>
// Asio 1.74 forgets the include above under GCC 12 in C++20.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "server/http/http_error.h"
#include "server/http/http_message.h"

namespace baton {

class HttpConnectionTable;

class HttpConnection {
 public:
  HttpConnection(HttpConnectionTable& table, std::uint64_t id, boost::asio::ip::tcp::socket socket,
                 std::string address, Instant now);

  void Start() { WaitForBytes(); }

  // What HttpReply says; see there. Each is ignored once the exchange has ended.
  void Send(HttpResponse response);
  void StartStream(HttpResponse response);
  void Write(absl::string_view bytes);
  void Finish(absl::string_view bytes, const std::vector<HttpHeader>& trailers);
  void OnGone(std::function<void()> gone) { gone_ = std::move(gone); }
  void Abandon();

  /// Closes what has passed a deadline of HttpLimits.
  void Sweep(Instant now);

  /// Nothing in flight: closed at once. Otherwise after the current answer.
  void CloseWhenIdle();

  bool waits_for_answer() const { return phase_ == Phase::kInFlight && !reply_ended_; }

 private:
  friend class HttpConnectionTable;
  enum class Phase { kIdle, kHead, kBody, kInFlight, kClosing };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  // Reading.
  void WaitForBytes();
  void OnReadable(const boost::system::error_code& error);
  bool ReadSome();
  void OnReadEnd();
  void Advance();
  bool AdvanceHead();
  bool AdvanceBody();
  void EnterPhase(Phase phase);
  void Dispatch();
  HttpRequest TakeRequest();
  void Refuse(int status, absl::string_view message);
  bool ChargeBody(std::size_t bytes);
  void ReturnBody();

  // Writing.
  void QueueHead(const HttpResponse& response, bool chunked);
  void QueueChunk(absl::string_view bytes);
  void StartWrite();
  void OnWritten(const boost::system::error_code& error, std::size_t bytes);
  void EndExchange();

  // Ending.
  void Gone();
  void Close();
  void CloseAfterDraining();

  HttpConnectionTable& table_;
  const std::uint64_t id_;
  boost::asio::ip::tcp::socket socket_;
  const std::string address_;

  Phase phase_ = Phase::kIdle;
  Instant phase_since_;
  int operations_ = 0;  // asynchronous operations that will still call back
  bool wait_in_flight_ = false;

  std::string in_;  // read, not yet parsed
  std::optional<Parser> parser_;
  std::size_t body_bytes_ = 0;
  std::size_t body_charge_ = 0;  // of it, what counts in the table's bound, until the answer's end
  Instant body_since_{};

  bool keep_alive_ = false;
  bool chunked_ = false;     // the stream's chunks are framed (HTTP/1.1)
  bool head_only_ = false;   // HEAD: no body is written
  bool streaming_ = false;   // StartStream was called
  bool reply_ended_ = true;  // Send or Finish was called: what is queued ends the exchange
  int version_ = 11;
  std::string route_;  // as registered, for the count of answers
  std::function<void()> gone_;

  std::string pending_;  // queued for the next write
  std::string writing_;  // handed to the socket
  std::size_t written_ = 0;
  bool write_in_flight_ = false;
  bool draining_ = false;  // closing: our side is shut, the rest of what the client sends is eaten
  Instant progress_at_{};  // when the socket last took bytes, or was given the first
};

}  // namespace baton
