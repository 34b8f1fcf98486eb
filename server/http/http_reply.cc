#include "server/http/http_reply.h"

#include <utility>

#include "server/http/http_connection_table.h"

namespace baton {

HttpReply::HttpReply(HttpReply&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)), connection_(other.connection_) {}

HttpReply::~HttpReply() {
  if (table_ == nullptr) return;
  if (HttpConnection* connection = table_->Find(connection_)) connection->Abandon();
}

bool HttpReply::open() const { return table_ != nullptr && table_->Find(connection_) != nullptr; }

void HttpReply::Send(HttpResponse response) {
  HttpConnectionTable* table = std::exchange(table_, nullptr);
  if (table == nullptr) return;
  if (HttpConnection* connection = table->Find(connection_)) connection->Send(std::move(response));
}

void HttpReply::StartStream(HttpResponse response) {
  if (table_ == nullptr) return;
  HttpConnection* connection = table_->Find(connection_);
  if (connection != nullptr) connection->StartStream(std::move(response));
}

void HttpReply::Write(absl::string_view bytes) {
  if (table_ == nullptr) return;
  if (HttpConnection* connection = table_->Find(connection_)) connection->Write(bytes);
}

void HttpReply::Finish(absl::string_view bytes, const std::vector<HttpHeader>& trailers) {
  HttpConnectionTable* table = std::exchange(table_, nullptr);
  if (table == nullptr) return;
  if (HttpConnection* connection = table->Find(connection_)) connection->Finish(bytes, trailers);
}

void HttpReply::OnGone(std::function<void()> gone) {
  if (table_ == nullptr) return;
  if (HttpConnection* connection = table_->Find(connection_)) connection->OnGone(std::move(gone));
}

}  // namespace baton
