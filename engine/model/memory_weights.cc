#include "engine/model/memory_weights.h"

#include <utility>

#include "base/check.h"
#include "base/digest.h"

namespace baton {

void MemoryWeights::Add(std::string name, std::vector<std::int64_t> shape,
                        std::vector<std::uint16_t> values) {
  std::size_t count = 1;
  for (std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
  BATON_CHECK(count == values.size());
  auto entry = std::make_unique<Entry>();
  entry->values = std::move(values);
  entry->tensor = {"BF16", std::move(shape), std::as_bytes(std::span(entry->values))};
  bytes_ += entry->tensor.bytes.size();
  BATON_CHECK(entries_.emplace(std::move(name), std::move(entry)).second);
}

const StoredTensor* MemoryWeights::Find(absl::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second->tensor;
}

std::vector<std::string> MemoryWeights::Names() const {
  std::vector<std::string> names;
  names.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

std::string MemoryWeights::Digest() const {
  Sha256 hash;
  for (const auto& [name, entry] : entries_) {
    hash.AddString(name);
    hash.AddU64(entry->tensor.shape.size());
    for (std::int64_t dim : entry->tensor.shape) hash.AddU64(static_cast<std::uint64_t>(dim));
    hash.AddBytes(entry->tensor.bytes);
  }
  return ToHex(hash.Finish());
}

}  // namespace baton
