#include "tests/server/http_test_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/check.h"

namespace baton::testing {

HttpTestClient::HttpTestClient(int port, int receive_buffer_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  BATON_CHECK(socket_ >= 0);
  const timeval patience{5, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (receive_buffer_bytes > 0) {
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(int));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  BATON_CHECK(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

HttpTestClient::~HttpTestClient() {
  if (socket_ >= 0) close(socket_);
}

void HttpTestClient::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server may have closed: the test reads what it said
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void HttpTestClient::Post(absl::string_view path, absl::string_view body,
                          absl::string_view headers) {
  Send(absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: t\r\nContent-Length: ", body.size(), "\r\n",
                    headers, "\r\n", body));
}

void HttpTestClient::Get(absl::string_view path) {
  Send(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: t\r\n\r\n"));
}

bool HttpTestClient::ReadMore() {
  std::array<char, 16384> buffer{};
  const ssize_t bytes = recv(socket_, buffer.data(), buffer.size(), 0);
  if (bytes <= 0) return false;
  in_.append(buffer.data(), static_cast<std::size_t>(bytes));
  return true;
}

bool HttpTestClient::ReadLine(std::string& line) {
  std::size_t end = 0;
  while ((end = in_.find("\r\n")) == std::string::npos) {
    if (!ReadMore()) return false;
  }
  line = in_.substr(0, end);
  in_.erase(0, end + 2);
  return true;
}

bool HttpTestClient::ReadChunks(TestAnswer& answer) {
  std::string line;
  for (;;) {
    std::uint64_t size = 0;
    if (!ReadLine(line) || !absl::SimpleHexAtoi(line, &size)) return false;
    if (size == 0) break;
    while (in_.size() < size + 2) {
      if (!ReadMore()) return false;
    }
    answer.body += in_.substr(0, size);
    in_.erase(0, size + 2);
  }
  while (ReadLine(line)) {
    if (line.empty()) return true;
    const std::pair<std::string, std::string> field = absl::StrSplit(line, ": ");
    answer.trailers[absl::AsciiStrToLower(field.first)] = field.second;
  }
  return false;
}

TestAnswer HttpTestClient::Read() {
  TestAnswer answer;
  std::size_t end = 0;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return answer;
  }
  const std::string head = in_.substr(0, end);
  in_.erase(0, end + 4);
  bool first = true;
  for (const absl::string_view line : absl::StrSplit(head, "\r\n")) {
    if (first) {
      first = false;
      if (!absl::SimpleAtoi(line.substr(9, 3), &answer.status)) return answer;
      continue;
    }
    const std::pair<absl::string_view, absl::string_view> field = absl::StrSplit(line, ": ");
    answer.headers[absl::AsciiStrToLower(field.first)] = std::string(field.second);
  }
  if (answer.headers.count("transfer-encoding") > 0) {
    answer.complete = ReadChunks(answer);
    return answer;
  }
  std::size_t length = 0;
  if (answer.headers.count("content-length") == 0 ||
      !absl::SimpleAtoi(answer.headers["content-length"], &length)) {
    return answer;
  }
  while (in_.size() < length) {
    if (!ReadMore()) return answer;
  }
  answer.body = in_.substr(0, length);
  in_.erase(0, length);
  answer.complete = true;
  return answer;
}

bool HttpTestClient::ReadUntil(absl::string_view text) {
  while (in_.find(std::string(text)) == std::string::npos) {
    if (!ReadMore()) return false;
  }
  return true;
}

bool HttpTestClient::ClosedByServer() {
  errno = 0;
  while (ReadMore()) {
  }
  // A time-out (EAGAIN) means that the server still holds the connection open.
  return errno != EAGAIN && errno != EWOULDBLOCK;
}

void HttpTestClient::Reset() {
  const linger now{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(socket_);
  socket_ = -1;
}

}  // namespace baton::testing
