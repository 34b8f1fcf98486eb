// One kept-alive HTTP connection to a cluster on loopback, as a client sees it: events with the
// time at which each was whole here. Blocking, with a deadline for each answer.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/json.h"
#include "base/time.h"

namespace baton::bench {

/// One `data:` line of a streamed answer.
struct TimedEvent {
  JsonValue json;
  Instant at{};
};

class HttpStream {
 public:
  /// Errors: Unavailable when nobody listens on 127.0.0.1:`port`.
  static absl::StatusOr<HttpStream> Connect(int port);

  HttpStream(HttpStream&& other) noexcept;
  HttpStream& operator=(HttpStream&&) = delete;
  ~HttpStream();

  /// The events of one streamed completion, [DONE] not among them.
  /// Errors: Unavailable when the answer is no 200, ends early, holds an error, or is late.
  absl::StatusOr<std::vector<TimedEvent>> Complete(absl::string_view body, Instant deadline);

  /// The body of a GET.
  absl::StatusOr<std::string> Get(absl::string_view path, Instant deadline);

 private:
  explicit HttpStream(int socket) : socket_(socket) {}

  absl::Status Send(absl::string_view bytes) const;
  absl::Status ReadMore(Instant deadline);
  /// What came up to `end`, which is taken off too.
  absl::StatusOr<std::string> TakeUntil(absl::string_view end, Instant deadline);
  absl::StatusOr<std::string> TakeBytes(std::size_t count, Instant deadline);
  /// Empty at the end of the body.
  absl::StatusOr<std::string> TakeChunk(Instant deadline);

  int socket_ = -1;
  std::string in_;
};

}  // namespace baton::bench
