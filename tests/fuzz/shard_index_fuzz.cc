// Any text as model.safetensors.index.json. What is accepted names plain files alone.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "engine/model/shard_index.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto shards =
      baton::ParseShardIndex(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!shards.ok()) return 0;
  for (const auto& [shard, tensors] : *shards) {
    BATON_CHECK(shard.find('/') == std::string::npos);
    BATON_CHECK(shard.front() != '.');
    BATON_CHECK(!tensors.empty());
  }
  return 0;
}
