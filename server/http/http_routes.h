// The table of routes: (method, path) to handler. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/http/http_message.h"
#include "server/http/http_reply.h"

namespace baton {

/// Called on the HTTP thread; must not block. Keep `reply` to answer later.
using HttpHandler = std::function<void(HttpRequest request, HttpReply reply)>;

class HttpRoutes {
 public:
  struct Match {
    const HttpHandler* handler = nullptr;  // null: 404, or 405 when `allowed` is not empty
    absl::string_view route;               // as added; empty for none
    std::string allowed;                   // methods that this path takes: "GET, HEAD"
  };

  /// A path that ends in "/*" matches everything below it.
  void Add(absl::string_view method, absl::string_view path, HttpHandler handler);

  /// HEAD finds GET's handler. The result lives as long as no route is added.
  Match Find(absl::string_view method, absl::string_view path) const;

 private:
  struct Entry {
    std::string method;
    std::string path;
    HttpHandler handler;
  };
  std::vector<Entry> entries_;  // a few dozen: a scan is faster than it needs to be
};

}  // namespace baton
