// The one shape of every error that leaves over HTTP: OpenAI's, with all four fields. A message
// never holds a prompt, a path or an address.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "server/http/http_message.h"

namespace baton {

struct HttpError {
  int status = 500;
  std::string type = "server_error";
  std::string message;
  std::string param;  // a JSON path; empty: null
  std::string code;   // empty: null
};

/// `{"error": {"message", "type", "param", "code"}}`.
std::string ErrorBody(const HttpError& error);

/// The answer, with what official clients act on: Retry-After on 429 and 503, `x-should-retry:
/// false` on a 500 and 501, which would only fail again.
HttpResponse ErrorResponse(const HttpError& error);

/// A refusal at the door, before any handler: bad framing, limits, unknown paths.
HttpError DoorError(int status, absl::string_view message);

}  // namespace baton
