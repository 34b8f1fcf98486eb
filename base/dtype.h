// Element types of tensors and KV pages.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace baton {

enum class DType { kF32, kBf16, kF16, kFp8E4m3 };

constexpr std::size_t BytesOf(DType type) {
  switch (type) {
    case DType::kF32:
      return 4;
    case DType::kBf16:
    case DType::kF16:
      return 2;
    case DType::kFp8E4m3:
      return 1;
  }
  return 0;
}

/// The name used in configuration, fingerprints and messages: "fp32", "bf16", "fp16", "fp8_e4m3".
inline absl::string_view NameOf(DType type) {
  switch (type) {
    case DType::kF32:
      return "fp32";
    case DType::kBf16:
      return "bf16";
    case DType::kF16:
      return "fp16";
    case DType::kFp8E4m3:
      return "fp8_e4m3";
  }
  return "unknown";
}

}  // namespace baton
