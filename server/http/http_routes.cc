#include "server/http/http_routes.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace baton {
namespace {

bool Covers(absl::string_view pattern, absl::string_view path) {
  if (!absl::EndsWith(pattern, "/*")) return pattern == path;
  const absl::string_view prefix = pattern.substr(0, pattern.size() - 1);
  return path.size() > prefix.size() && absl::StartsWith(path, prefix);
}

}  // namespace

void HttpRoutes::Add(absl::string_view method, absl::string_view path, HttpHandler handler) {
  BATON_CHECK(Find(method, path).handler == nullptr);
  entries_.push_back({std::string(method), std::string(path), std::move(handler)});
}

HttpRoutes::Match HttpRoutes::Find(absl::string_view method, absl::string_view path) const {
  const absl::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  for (const Entry& entry : entries_) {
    if (!Covers(entry.path, path)) continue;
    match.route = entry.path;
    if (entry.method == wanted) {
      match.handler = &entry.handler;
      return match;
    }
    absl::StrAppend(&match.allowed, match.allowed.empty() ? "" : ", ", entry.method);
    if (entry.method == "GET") match.allowed += ", HEAD";
  }
  return match;
}

}  // namespace baton
