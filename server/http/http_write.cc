// The writing half of HttpConnection: heads, chunks, one write in flight at a time.
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/status.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/http/http_connection.h"
#include "server/http/http_connection_table.h"

namespace baton {
namespace {

// A buffer that one large answer has grown is given back when the exchange ends.
constexpr std::size_t kKeptBufferBytes = 16 * 1024;

absl::string_view ReasonOf(int status) {
  const auto reason = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  return {reason.data(), reason.size()};
}

void GiveBack(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKeptBufferBytes) std::string().swap(buffer);
}

}  // namespace

void HttpConnection::Send(HttpResponse response) {
  if (!waits_for_answer() || streaming_) return;
  QueueHead(response, false);
  if (!head_only_) pending_ += response.body;
  reply_ended_ = true;
  StartWrite();
}

void HttpConnection::StartStream(HttpResponse response) {
  if (!waits_for_answer() || streaming_) return;
  streaming_ = true;
  chunked_ = version_ == 11;
  if (!chunked_) keep_alive_ = false;  // HTTP/1.0: the stream ends with the connection
  QueueHead(response, chunked_);
  QueueChunk(response.body);
  StartWrite();
}

void HttpConnection::Write(absl::string_view bytes) {
  if (!waits_for_answer() || !streaming_) return;
  QueueChunk(bytes);
  if (pending_.size() > table_.limits().unsent_bytes_max) {
    boost::asio::post(table_.io(), [table = &table_, id = id_] {
      if (HttpConnection* connection = table->Find(id)) connection->Gone();
    });
    return;
  }
  StartWrite();
}

void HttpConnection::Finish(absl::string_view bytes, const std::vector<HttpHeader>& trailers) {
  if (!waits_for_answer() || !streaming_) return;
  QueueChunk(bytes);
  if (chunked_ && !head_only_) {
    pending_ += "0\r\n";
    for (const HttpHeader& trailer : trailers) {
      absl::StrAppend(&pending_, trailer.name, ": ", trailer.value, "\r\n");
    }
    pending_ += "\r\n";
  }
  reply_ended_ = true;
  StartWrite();
}

void HttpConnection::QueueHead(const HttpResponse& response, bool chunked) {
  absl::StrAppend(&pending_, version_ == 10 ? "HTTP/1.0 " : "HTTP/1.1 ", response.status, " ",
                  ReasonOf(response.status), "\r\nContent-Type: ", response.content_type, "\r\n");
  if (chunked) {
    pending_ += "Transfer-Encoding: chunked\r\n";
  } else if (!streaming_) {
    absl::StrAppend(&pending_, "Content-Length: ", response.body.size(), "\r\n");
  }
  if (!keep_alive_) {
    pending_ += "Connection: close\r\n";
  } else if (version_ == 10) {
    pending_ += "Connection: keep-alive\r\n";
  }
  for (const HttpHeader& header : response.headers) {
    absl::StrAppend(&pending_, header.name, ": ", header.value, "\r\n");
  }
  pending_ += "\r\n";
  table_.CountAnswer(route_, response.status);
}

void HttpConnection::QueueChunk(absl::string_view bytes) {
  if (bytes.empty() || head_only_) return;  // an empty chunk would end the stream
  if (!chunked_) {
    absl::StrAppend(&pending_, bytes);
    return;
  }
  absl::StrAppend(&pending_, absl::Hex(bytes.size()), "\r\n", bytes, "\r\n");
}

void HttpConnection::StartWrite() {
  if (write_in_flight_ || pending_.empty()) return;
  writing_.swap(pending_);
  written_ = 0;
  progress_at_ = std::chrono::steady_clock::now();
  write_in_flight_ = true;
  ++operations_;
  socket_.async_write_some(boost::asio::buffer(writing_),
                           [this](const boost::system::error_code& error, std::size_t bytes) {
                             OnWritten(error, bytes);
                           });
}

void HttpConnection::OnWritten(const boost::system::error_code& error, std::size_t bytes) {
  --operations_;
  if (phase_ == Phase::kClosing) return table_.Release(*this);
  if (error) return Gone();
  written_ += bytes;
  progress_at_ = std::chrono::steady_clock::now();
  if (written_ < writing_.size()) {
    ++operations_;
    socket_.async_write_some(
        boost::asio::buffer(writing_.data() + written_, writing_.size() - written_),
        [this](const boost::system::error_code& next_error, std::size_t next_bytes) {
          OnWritten(next_error, next_bytes);
        });
    return;
  }
  write_in_flight_ = false;
  GiveBack(writing_);
  if (!pending_.empty()) return StartWrite();
  if (phase_ == Phase::kInFlight && reply_ended_) EndExchange();
}

}  // namespace baton
