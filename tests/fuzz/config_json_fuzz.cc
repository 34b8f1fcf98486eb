// Any text as config.json, read as every family reads it. Whatever model it describes, its tensors
// are looked for in a source that has none: an error that names them, in little time and memory.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "engine/model/deepseek_json.h"
#include "engine/model/deepseek_names.h"
#include "engine/model/llama_json.h"

namespace {

class NoWeights : public baton::WeightSource {
 public:
  const baton::StoredTensor* Find(absl::string_view) const override { return nullptr; }
  std::vector<std::string> Names() const override { return {}; }
};

void TryDeepseek(const baton::JsonObject& config, const baton::JsonValue& root,
                 baton::DeepseekVersion version) {
  const auto parsed = baton::ParseDeepseekJson(config, &root, version);
  if (!parsed.ok()) return;
  BATON_CHECK(parsed->config.num_layers > 0 && parsed->config.CacheDim() > 0);
  BATON_CHECK(!baton::CheckDeepseekWeights(parsed->config, NoWeights()).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = baton::ParseJson(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!json.ok() || json->AsObject() == nullptr) return 0;
  const baton::JsonObject& config = *json->AsObject();
  TryDeepseek(config, *json, baton::DeepseekVersion::kV2);
  TryDeepseek(config, *json, baton::DeepseekVersion::kV3);
  for (const auto parse : {baton::ParseLlamaJson, baton::ParseQwen2Json, baton::ParseQwen3Json}) {
    const auto parsed = parse(config, &*json);
    BATON_CHECK(!parsed.ok() || parsed->config.HeadDim() > 0);
  }
  return 0;
}
