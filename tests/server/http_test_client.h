// A small blocking HTTP client over a plain socket, for tests: it sends bytes as given, right or
// wrong, and reads answers or what is left of them. Every wait ends after 5 s.
#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace baton::testing {

struct TestAnswer {
  int status = 0;                               // 0: the connection ended without one
  std::map<std::string, std::string> headers;   // lower-case names
  std::string body;                             // chunks joined
  std::map<std::string, std::string> trailers;  // lower-case names
  bool complete = false;                        // the body ended as its framing says
};

class HttpTestClient {
 public:
  explicit HttpTestClient(int port, int receive_buffer_bytes = 0);
  ~HttpTestClient();
  HttpTestClient(const HttpTestClient&) = delete;
  HttpTestClient& operator=(const HttpTestClient&) = delete;

  void Send(absl::string_view bytes);
  void Post(absl::string_view path, absl::string_view body, absl::string_view headers = {});
  void Get(absl::string_view path);

  /// The next answer on the connection.
  TestAnswer Read();

  /// Reads until `text` has been seen since the last answer; false at the connection's end or after
  /// 5 s.
  bool ReadUntil(absl::string_view text);

  /// True when the server closes (or resets) the connection within 5 s.
  bool ClosedByServer();

  int socket() const { return socket_; }

  /// Resets the connection, as a crashed client's kernel does.
  void Reset();

 private:
  bool ReadMore();
  bool ReadChunks(TestAnswer& answer);
  /// Up to and without its end of line. False at the connection's end.
  bool ReadLine(std::string& line);

  int socket_ = -1;
  std::string in_;
};

}  // namespace baton::testing
