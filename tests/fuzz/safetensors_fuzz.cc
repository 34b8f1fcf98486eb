// Any bytes as a safetensors file. What is accepted lies inside the file, fills it, and no two
// tensors share a byte.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "engine/model/safetensors_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  const auto tensors = baton::ParseSafetensors(file);
  if (!tensors.ok()) return 0;
  std::size_t owned = 0;
  for (const auto& [name, tensor] : *tensors) {
    BATON_CHECK(tensor.bytes.data() >= file.data());
    BATON_CHECK(tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size());
    owned += tensor.bytes.size();
  }
  BATON_CHECK(owned < size);
  return 0;
}
