#include "server/http/http_error.h"

#include "base/json.h"

namespace baton {
namespace {

// Long enough that a burst spreads, short enough that a restarted worker is found soon.
constexpr const char* kRetryAfterSeconds = "1";

JsonValue OrNull(const std::string& text) {
  return text.empty() ? JsonValue(nullptr) : JsonValue(text);
}

}  // namespace

std::string ErrorBody(const HttpError& error) {
  return WriteJson(MakeJson({{"error", MakeJson({{"message", error.message},
                                                 {"type", error.type},
                                                 {"param", OrNull(error.param)},
                                                 {"code", OrNull(error.code)}})}}));
}

HttpResponse ErrorResponse(const HttpError& error) {
  HttpResponse response;
  response.status = error.status;
  response.body = ErrorBody(error);
  if (error.status == 429 || error.status == 503) {
    response.headers.push_back({"Retry-After", kRetryAfterSeconds});
  }
  if (error.status == 500 || error.status == 501) {
    response.headers.push_back({"x-should-retry", "false"});
  }
  return response;
}

HttpError DoorError(int status, absl::string_view message) {
  HttpError error{status, "invalid_request_error", std::string(message), "", ""};
  if (status == 404) {
    error.type = "not_found_error";
    error.code = "unknown_url";
  }
  if (status == 413 || status == 414 || status == 431) error.code = "request_too_large";
  if (status == 503) {
    error.type = "unavailable_error";
    error.code = "queue_full";
  }
  if (status == 500) error.type = "server_error";
  if (status == 500) error.code = "internal";
  return error;
}

}  // namespace baton
