// A small HTTP/1.1 server on one thread: a table of routes, bounded reading, streamed answers. The
// router's API and the workers' health pages are both mounted on it.
//
//   auto server = HttpServer::Listen(options);            // binds; a taken port is an error here
//   (*server)->Route("GET", "/livez", [](HttpRequest, HttpReply reply) { reply.Send({...}); });
//   (*server)->Start();                                   // one thread; Stop() or ~HttpServer ends
//   it
//
// Boost.Beast parses, behind a strict scan of the head; this header shows none of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/time.h"
#include "server/http/http_limits.h"
#include "server/http/http_message.h"
#include "server/http/http_reply.h"
#include "server/http/http_routes.h"

namespace baton {

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // a literal address or "localhost"
  int port = 0;                    // 0 = any free one; see port()
  HttpLimits limits;

  /// Told after each answer's head is queued, for metrics: the route as registered ("" for none)
  /// and the status. HTTP thread. May be null.
  std::function<void(absl::string_view route, int status)> on_answer;
};

class HttpServer {
 public:
  /// Binds and listens. Errors: InvalidArgument (host), Unavailable (port taken, said with the
  /// address).
  static absl::StatusOr<std::unique_ptr<HttpServer>> Listen(HttpServerOptions options);
  ~HttpServer();

  /// Before Start. `path` is matched whole; one that ends in "/*" matches everything below it.
  void Route(absl::string_view method, absl::string_view path, HttpHandler handler);

  /// Before Start. Calls `tick` on the HTTP thread every `period`, for as long as the server runs.
  void Every(Duration period, std::function<void(Instant now)> tick);

  void Start();

  /// Closes everything and joins the thread; a second call does nothing. Handlers and OnGone
  /// callbacks are not called afterwards; work posted later never runs.
  void Stop();

  /// Runs `work` on the HTTP thread, soon. Thread: any. The caller bounds how much it posts.
  void Post(std::function<void()> work);

  /// No new connections from now on; those open go on and close after their current answer.
  /// Thread: any.
  void StopAccepting();

  /// Requests read whose answer has not been written out. Thread: any.
  int exchanges_open() const;

  int port() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton
