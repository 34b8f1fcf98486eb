// One HTTP request and its answer as plain values: what handlers see. No Beast type stands here, so
// that everybody may include it.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "base/time.h"

namespace baton {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // the target before '?', as sent: nothing is decoded
  std::string query;   // after '?', may be empty
  std::vector<HttpHeader> headers;
  std::string body;
  Instant read_at{};  // when its last byte had been read

  /// The first header of that name (case does not matter); empty without one. Valid as long as the
  /// request is neither changed nor moved.
  absl::string_view Header(absl::string_view name) const {
    for (const HttpHeader& header : headers) {
      if (absl::EqualsIgnoreCase(header.name, name)) return header.value;
    }
    return {};
  }
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<HttpHeader> headers;  // beside Content-Type, Content-Length, Connection
};

}  // namespace baton
