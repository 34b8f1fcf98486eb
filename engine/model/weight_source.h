// Where a model's tensors come from: files (safetensors_file), a construction (recall_model), or
// made-up numbers (dummy_weights). The loader sees names, shapes and bytes, nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton {

/// One tensor as stored. Row-major, little endian, not aligned in any way.
struct StoredTensor {
  std::string dtype;  // as safetensors spells it: "BF16", "F32", ...
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // valid as long as the source lives
};

/// Thread: any; immutable after its making.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  /// Null when there is none of that name. Valid as long as the source lives.
  virtual const StoredTensor* Find(absl::string_view name) const = 0;

  /// All names, sorted.
  virtual std::vector<std::string> Names() const = 0;
};

}  // namespace baton
