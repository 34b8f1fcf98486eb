// Weights as a pure function of (seed, tensor's name): the same here and in tools/oracle, which
// says the rule (seeded_weights.py).
#pragma once

#include <cmath>
#include <cstring>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "engine/model/weight_names.h"
#include "kernels/common/float_bits.h"
#include "kernels/common/philox.h"
#include "tests/engine/checkpoint_writer.h"

namespace baton::testing {

inline WrittenTensor MakeSeededTensor(std::int64_t seed, const WeightSpec& spec) {
  const std::string name = absl::StrCat(seed, "/", spec.name);
  Sha256 hash;
  hash.AddBytes(std::as_bytes(std::span(name.data(), name.size())));
  const Sha256Digest digest = hash.Finish();
  PhiloxKey key{};
  std::memcpy(key.data(), digest.data(), sizeof key);
  std::size_t count = 1;
  for (const std::int64_t dim : spec.shape) count *= static_cast<std::size_t>(dim);
  const double bound = std::sqrt(3.0 / static_cast<double>(spec.shape.back()));
  const bool bias = absl::EndsWith(spec.name, "bias");
  WrittenTensor tensor{"BF16", spec.shape, std::string(2 * count, '\0')};
  for (std::size_t i = 0; i < count; ++i) {
    const double unit = UnitInterval(Philox4x32({static_cast<std::uint32_t>(i), 0, 0, 0}, key)[0]);
    const double vector = bias ? unit - 0.75 : 0.5 + unit;
    const double value = spec.shape.size() > 1 ? bound * (2 * unit - 1) : vector;
    const std::uint16_t bits = FloatToBf16(static_cast<float>(value));
    std::memcpy(tensor.bytes.data() + 2 * i, &bits, 2);
  }
  return tensor;
}

}  // namespace baton::testing
