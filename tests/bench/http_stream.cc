#include "tests/bench/http_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace baton::bench {
namespace {

Instant Now() { return std::chrono::steady_clock::now(); }

/// Takes whole events off the front of `text`.
absl::Status TakeEvents(std::string& text, std::vector<TimedEvent>& events) {
  std::size_t end = 0;
  while ((end = text.find("\n\n")) != std::string::npos) {
    const std::string event = text.substr(0, end);
    text.erase(0, end + 2);
    if (!absl::StartsWith(event, "data: ") || event == "data: [DONE]") continue;
    BATON_ASSIGN_OR_RETURN(JsonValue json, ParseJson(event.substr(6)));
    const JsonObject* object = json.AsObject();
    if (object == nullptr || object->Find("error") != nullptr) {
      return absl::UnavailableError(absl::StrCat("the stream failed: ", event));
    }
    events.push_back({std::move(json), Now()});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HttpStream> HttpStream::Connect(int port) {
  HttpStream stream(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  setsockopt(stream.socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(stream.socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return absl::UnavailableError(absl::StrCat("nobody listens on 127.0.0.1:", port));
  }
  return stream;
}

HttpStream::HttpStream(HttpStream&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), in_(std::move(other.in_)) {}

HttpStream::~HttpStream() {
  if (socket_ >= 0) close(socket_);
}

absl::StatusOr<std::vector<TimedEvent>> HttpStream::Complete(absl::string_view body,
                                                             Instant deadline) {
  BATON_RETURN_IF_ERROR(Send(absl::StrCat(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: ",
      body.size(), "\r\n\r\n", body)));
  BATON_ASSIGN_OR_RETURN(const std::string head, TakeUntil("\r\n\r\n", deadline));
  if (!absl::StartsWith(head, "HTTP/1.1 200")) {
    return absl::UnavailableError(absl::StrCat("refused: ", head));
  }
  std::vector<TimedEvent> events;
  std::string text;
  while (true) {
    BATON_ASSIGN_OR_RETURN(const std::string chunk, TakeChunk(deadline));
    if (chunk.empty()) return events;
    text += chunk;
    BATON_RETURN_IF_ERROR(TakeEvents(text, events));
  }
}

absl::StatusOr<std::string> HttpStream::Get(absl::string_view path, Instant deadline) {
  BATON_RETURN_IF_ERROR(Send(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  BATON_ASSIGN_OR_RETURN(const std::string head, TakeUntil("\r\n\r\n", deadline));
  constexpr absl::string_view kLength = "Content-Length: ";
  const std::size_t at = head.find(std::string(kLength));
  std::size_t length = 0;
  if (at == std::string::npos ||
      !absl::SimpleAtoi(head.substr(at + kLength.size(), head.find('\r', at) - at - kLength.size()),
                        &length)) {
    return absl::UnavailableError(absl::StrCat(path, ": an answer without a length: ", head));
  }
  return TakeBytes(length, deadline);
}

absl::Status HttpStream::Send(absl::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return absl::UnavailableError("the connection is gone");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return absl::OkStatus();
}

absl::Status HttpStream::ReadMore(Instant deadline) {
  const double left = std::clamp(ToMilliseconds(deadline - Now()), 0.0, 3.6e6);
  pollfd entry{socket_, POLLIN, 0};
  if (poll(&entry, 1, static_cast<int>(left)) <= 0) {
    return absl::UnavailableError("no answer in time");
  }
  std::array<char, 16'384> bytes{};
  const ssize_t count = recv(socket_, bytes.data(), bytes.size(), 0);
  if (count <= 0) return absl::UnavailableError("the connection ended within an answer");
  in_.append(bytes.data(), static_cast<std::size_t>(count));
  return absl::OkStatus();
}

absl::StatusOr<std::string> HttpStream::TakeUntil(absl::string_view end, Instant deadline) {
  std::size_t at = 0;
  while ((at = in_.find(std::string(end))) == std::string::npos) {
    BATON_RETURN_IF_ERROR(ReadMore(deadline));
  }
  std::string taken = in_.substr(0, at);
  in_.erase(0, at + end.size());
  return taken;
}

absl::StatusOr<std::string> HttpStream::TakeBytes(std::size_t count, Instant deadline) {
  while (in_.size() < count) BATON_RETURN_IF_ERROR(ReadMore(deadline));
  std::string taken = in_.substr(0, count);
  in_.erase(0, count);
  return taken;
}

absl::StatusOr<std::string> HttpStream::TakeChunk(Instant deadline) {
  BATON_ASSIGN_OR_RETURN(const std::string size, TakeUntil("\r\n", deadline));
  std::uint64_t bytes = 0;
  if (!absl::SimpleHexAtoi(size, &bytes)) return absl::UnavailableError("a broken chunk");
  BATON_ASSIGN_OR_RETURN(std::string chunk, TakeBytes(bytes, deadline));
  BATON_RETURN_IF_ERROR(TakeUntil("\r\n", deadline).status());
  return chunk;
}

}  // namespace baton::bench
