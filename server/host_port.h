// How a host and its port are written in one word, which differs between the two kinds of address.
#pragma once

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace baton {

/// "127.0.0.1:7500", "name:7500", "[::1]:7500".
inline std::string HostPortText(absl::string_view host, int port) {
  const bool v6 = absl::StrContains(host, ':');
  return v6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

}  // namespace baton
