// All connections of one HTTP server, by number, so that a reply or a callback can name one that
// may be gone. For server/http alone.
//
// Thread: the HTTP thread, but for `exchanges_open`.
#pragma once

#include <utility>
// Asio 1.74 forgets the include above under GCC 12 in C++20.
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/time.h"
#include "server/http/http_connection.h"
#include "server/http/http_limits.h"
#include "server/http/http_routes.h"

namespace baton {

class HttpConnectionTable {
 public:
  using OnAnswer = std::function<void(absl::string_view route, int status)>;

  HttpConnectionTable(boost::asio::io_context& io, const HttpLimits& limits, OnAnswer on_answer);

  /// Takes an accepted socket, or closes it when a cap is reached and no idle connection can go.
  void Add(boost::asio::ip::tcp::socket socket);

  /// Null when it is gone or going.
  HttpConnection* Find(std::uint64_t id);

  void Sweep(Instant now);

  /// From now on a connection ends with its current answer; idle ones end at once.
  void Drain();

  /// Takes the connection out of sight, and deletes it once nothing calls back into it. The object
  /// may be dead after this.
  void Release(HttpConnection& connection);

  HttpRoutes& routes() { return routes_; }
  const HttpLimits& limits() const { return limits_; }
  boost::asio::io_context& io() { return io_; }
  bool draining() const { return draining_; }
  std::vector<char>& read_buffer() { return read_buffer_; }
  void CountAnswer(absl::string_view route, int status);
  /// Counts bytes of bodies in; false, and nothing counted, beyond HttpLimits::bodies_bytes_max.
  bool ChargeBodies(std::size_t bytes);
  void ReturnBodies(std::size_t bytes) { bodies_bytes_ -= bytes; }

  void ExchangeBegins() { exchanges_open_.fetch_add(1, std::memory_order_relaxed); }
  void ExchangeEnds() { exchanges_open_.fetch_sub(1, std::memory_order_relaxed); }
  int exchanges_open() const { return exchanges_open_.load(std::memory_order_relaxed); }

 private:
  std::vector<std::uint64_t> Ids() const;
  /// Makes room for one that asks something. False when every connection is at work.
  bool CloseLongestIdle();

  boost::asio::io_context& io_;
  const HttpLimits limits_;
  const OnAnswer on_answer_;
  HttpRoutes routes_;
  std::uint64_t next_id_ = 1;
  absl::flat_hash_map<std::uint64_t, std::unique_ptr<HttpConnection>> open_;
  std::map<std::string, int> per_address_;
  std::vector<char> read_buffer_;  // one for all: bytes are moved out of it at once
  std::size_t bodies_bytes_ = 0;   // of requests in flight, beyond each one's small share
  bool draining_ = false;
  std::atomic<int> exchanges_open_{0};  // relaxed: a count that is polled, it orders nothing
};

}  // namespace baton
