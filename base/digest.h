// SHA-256, by OpenSSL: names of content (page keys, layout fingerprints, weight revisions).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace baton {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// Incremental SHA-256. Numbers are added little endian at fixed width, strings with their length
/// in front, so that different field lists never hash alike.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void AddBytes(std::span<const std::byte> bytes);
  void AddU32(std::uint32_t value);
  void AddU64(std::uint64_t value);
  void AddString(absl::string_view text);  // u64 length, then the bytes

  /// Ends the hash. The object must not be used afterwards.
  Sha256Digest Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Lower-case hexadecimal of `bytes`.
std::string ToHex(std::span<const std::uint8_t> bytes);

}  // namespace baton
