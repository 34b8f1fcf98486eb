// Tensors made at start and kept in memory, all bf16: the source behind the constructed and the
// made-up models.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/weight_source.h"

namespace baton {

class MemoryWeights : public WeightSource {
 public:
  /// Adds a tensor; `values` are bf16 bit patterns, product(shape) of them. A name comes once.
  void Add(std::string name, std::vector<std::int64_t> shape, std::vector<std::uint16_t> values);

  const StoredTensor* Find(absl::string_view name) const override;
  std::vector<std::string> Names() const override;

  std::size_t bytes() const { return bytes_; }

  /// SHA-256 over every name, shape and byte, in the order of the names; hexadecimal.
  std::string Digest() const;

 private:
  struct Entry {
    std::vector<std::uint16_t> values;
    StoredTensor tensor;
  };

  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace baton
