// Finds tensors by name and brings each into the one element type that a forward pass computes in:
// where it lies when it can be used there, else a converted copy. Every family's weights are bound
// through it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "engine/model/weight_source.h"

namespace baton {

/// Memory that bound weights point into.
using WeightBuffers = std::vector<std::unique_ptr<std::byte[]>>;

/// The first error sticks; later calls give null. Thread: one.
class WeightBinder {
 public:
  /// `source` and `buffers` outlive what is bound. `on_bytes` may be null; it is told the stored
  /// bytes of each tensor as it is bound.
  WeightBinder(const WeightSource& source, DType dtype,
               const std::function<void(std::size_t)>& on_bytes, WeightBuffers& buffers);

  /// The tensor `name` in the model's type. It is stored as BF16, F16 or F32, or as F8_E4M3 with
  /// its block scales beside it (CheckWeights has seen to their shapes).
  const void* Get(const std::string& name);

  /// The tensor `name` as fp32, whatever the model's type.
  const float* GetFloats(const std::string& name);

  /// Room for `elements` numbers of the model's type.
  std::byte* Allocate(std::int64_t elements);

  /// Errors: InvalidArgument names a tensor that is stored in a type that is not read, or does not
  /// fit the model's;
  /// ResourceExhausted when memory is short.
  const absl::Status& status() const { return status_; }

 private:
  const StoredTensor* Find(const std::string& name);
  std::byte* AllocateBytes(std::size_t bytes);
  const void* Convert(const std::string& name, const StoredTensor& stored, DType from, DType to);
  const void* Checked(const std::string& name, const std::byte* copy, std::size_t elements,
                      DType dtype);
  const void* Widen(const std::string& name, const StoredTensor& stored);

  const WeightSource& source_;
  const DType dtype_;
  const std::function<void(std::size_t)>& on_bytes_;
  WeightBuffers& buffers_;
  absl::Status status_;
};

}  // namespace baton
