// Any text as a configuration file; its first byte chooses the role and whether unknown keys pass.
// Most texts are no YAML map and end there: loading looks at every knob, which costs milliseconds.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "config/load.h"
#include "config/tree.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const baton::YamlTree tree = baton::ParseYaml(text);
  if (!tree.errors.empty() || tree.root.kind != baton::YamlNode::Kind::kMap) return 0;
  baton::LoadInputs inputs;
  inputs.role = static_cast<baton::Role>(data[0] % 4);
  inputs.lenient = (data[0] & 4) != 0;
  inputs.file_name = "baton.yaml";
  inputs.file_text = std::string(text);
  const auto loaded = baton::LoadConfig(inputs);
  BATON_CHECK(loaded.ok() || loaded.status().code() == absl::StatusCode::kInvalidArgument);
  return 0;
}
