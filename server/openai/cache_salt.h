// The salt under which a request's pages are cached: derived here, so that a client's own salt can
// narrow sharing but never widen it, and collisions cannot be searched offline. Pure.
// Source: RFC 2104 (HMAC), with SHA-256.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace baton {

/// HMAC-SHA256(cluster secret, length-framed tenant and client salt) in hexadecimal; empty (shared
/// by all) when there is neither tenant nor client salt.
std::string DeriveCacheSalt(absl::string_view cluster_secret, absl::string_view tenant,
                            absl::string_view client_salt);

}  // namespace baton
