// The answering end of one HTTP request: a whole answer, or a stream of chunks. It names its
// connection by number, so it may outlive it: what is said to a connection that is gone goes
// nowhere.
//
// Thread: the server's HTTP thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/http/http_message.h"

namespace baton {

class HttpConnectionTable;

class HttpReply {
 public:
  HttpReply(HttpConnectionTable* table, std::uint64_t connection) noexcept
      : table_(table), connection_(connection) {}
  HttpReply(HttpReply&& other) noexcept;
  HttpReply& operator=(HttpReply&&) = delete;

  /// A request whose reply dies unanswered (or with its stream open) loses its connection.
  ~HttpReply();

  /// The whole answer. Ends the exchange.
  void Send(HttpResponse response);

  /// Sends status and headers of a chunked answer; `response.body` is its first chunk.
  void StartStream(HttpResponse response);

  /// One more chunk. One write is in flight at a time; what waits joins the next. A reader that
  /// lets more than HttpLimits::unsent_bytes_max wait, or stalls, is taken for gone.
  void Write(absl::string_view bytes);

  /// The last chunk (may be empty), the stream's end and its trailers: fields that the head named
  /// in `Trailer`, for a client that takes them; HTTP/1.0 has none. Ends the exchange.
  void Finish(absl::string_view bytes = {}, const std::vector<HttpHeader>& trailers = {});

  /// False once the exchange has ended or the client is gone.
  bool open() const;

  /// `gone` is called once, on the HTTP thread, if the client leaves or stalls before the exchange
  /// has ended. It must not destroy the reply's owner synchronously from within Write or Finish:
  /// it is always called from the event loop, never from inside a method of this class.
  void OnGone(std::function<void()> gone);

 private:
  HttpConnectionTable* table_;  // null once the exchange has ended
  const std::uint64_t connection_;
};

}  // namespace baton
