#include "server/http/http_connection_table.h"

#include <algorithm>

#include "base/log.h"

namespace baton {
namespace {

constexpr std::size_t kReadBufferBytes = 64 * 1024;

}  // namespace

HttpConnectionTable::HttpConnectionTable(boost::asio::io_context& io, const HttpLimits& limits,
                                         OnAnswer on_answer)
    : io_(io), limits_(limits), on_answer_(std::move(on_answer)), read_buffer_(kReadBufferBytes) {}

void HttpConnectionTable::Add(boost::asio::ip::tcp::socket socket) {
  boost::system::error_code error;
  const boost::asio::ip::tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return;  // gone before it was looked at; the socket closes itself
  const std::string address = remote.address().to_string();
  const bool capped = !remote.address().is_loopback();
  const bool full = open_.size() >= static_cast<std::size_t>(limits_.connections_max);
  if (full && !CloseLongestIdle()) {
    BATON_WARN("http connection refused: %d are open", limits_.connections_max);
    return;
  }
  if (capped && per_address_[address] >= limits_.connections_per_address_max) {
    BATON_WARN("http connection refused: %d from one address", limits_.connections_per_address_max);
    return;
  }
  // Without no_delay the second answer on a kept-alive connection waits for the client's delayed
  // acknowledgement of the first: 40 ms.
  socket.set_option(boost::asio::ip::tcp::no_delay(true), error);
  socket.set_option(
      boost::asio::socket_base::send_buffer_size(static_cast<int>(limits_.send_buffer_bytes)),
      error);
  socket.non_blocking(true, error);
  if (error) return;
  ++per_address_[address];
  const std::uint64_t id = next_id_++;
  auto connection = std::make_unique<HttpConnection>(*this, id, std::move(socket), address,
                                                     std::chrono::steady_clock::now());
  HttpConnection& added = *connection;
  open_.emplace(id, std::move(connection));
  added.Start();
}

bool HttpConnectionTable::CloseLongestIdle() {
  HttpConnection* longest = nullptr;
  for (const std::uint64_t id : Ids()) {
    HttpConnection& connection = *open_.at(id);
    if (connection.phase_ != HttpConnection::Phase::kIdle) continue;
    if (longest == nullptr || connection.phase_since_ < longest->phase_since_) {
      longest = &connection;
    }
  }
  if (longest == nullptr) return false;
  longest->Close();
  return true;
}

bool HttpConnectionTable::ChargeBodies(std::size_t bytes) {
  if (bytes > limits_.bodies_bytes_max - bodies_bytes_) return false;
  bodies_bytes_ += bytes;
  return true;
}

HttpConnection* HttpConnectionTable::Find(std::uint64_t id) {
  const auto it = open_.find(id);
  if (it == open_.end() || it->second->phase_ == HttpConnection::Phase::kClosing) return nullptr;
  return it->second.get();
}

std::vector<std::uint64_t> HttpConnectionTable::Ids() const {
  std::vector<std::uint64_t> ids;
  ids.reserve(open_.size());
  for (const auto& [id, connection] : open_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());  // in the order of their coming, whatever the hash says
  return ids;
}

void HttpConnectionTable::Sweep(Instant now) {
  for (const std::uint64_t id : Ids()) {
    const auto it = open_.find(id);
    if (it != open_.end()) it->second->Sweep(now);
  }
}

void HttpConnectionTable::Drain() {
  draining_ = true;
  for (const std::uint64_t id : Ids()) {
    if (HttpConnection* connection = Find(id)) connection->CloseWhenIdle();
  }
}

void HttpConnectionTable::Release(HttpConnection& connection) {
  if (connection.operations_ > 0) return;  // its last callback comes here again
  const auto count = per_address_.find(connection.address_);
  if (--count->second == 0) per_address_.erase(count);
  open_.erase(connection.id_);
}

void HttpConnectionTable::CountAnswer(absl::string_view route, int status) {
  if (on_answer_) on_answer_(route, status);
}

}  // namespace baton
