#include "engine/model/dummy_weights.h"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/digest.h"
#include "kernels/common/float_bits.h"
#include "kernels/common/philox.h"

namespace baton {
namespace {

PhiloxKey KeyOf(const std::string& name) {
  Sha256 hash;
  hash.AddBytes(std::as_bytes(std::span(name.data(), name.size())));
  const Sha256Digest digest = hash.Finish();
  PhiloxKey key{};
  std::memcpy(key.data(), digest.data(), sizeof key);
  return key;
}

double BytesNeeded(const std::vector<WeightSpec>& specs) {
  double bytes = 0;
  for (const WeightSpec& spec : specs) {
    double count = 2;
    for (const std::int64_t dim : spec.shape) count *= static_cast<double>(dim);
    bytes += count;
  }
  return bytes;
}

std::vector<std::uint16_t> MakeValues(const WeightSpec& spec) {
  std::size_t count = 1;
  for (const std::int64_t dim : spec.shape) count *= static_cast<std::size_t>(dim);
  if (spec.shape.size() == 1) {
    const float value = absl::EndsWith(spec.name, "bias") ? 0.0F : 1.0F;
    return std::vector<std::uint16_t>(count, FloatToBf16(value));
  }
  const float bound = std::sqrt(3.0F / static_cast<float>(spec.shape.back()));
  const PhiloxKey key = KeyOf(spec.name);
  std::vector<std::uint16_t> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t place = i;
    const std::uint32_t word = Philox4x32(
        {static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(place >> 32), 0, 0}, key)[0];
    values[i] = FloatToBf16(bound * (2 * UnitInterval(word) - 1));
  }
  return values;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MemoryWeights>> MakeDummyWeights(
    const std::vector<WeightSpec>& specs) {
  const double machine =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (BytesNeeded(specs) > machine) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("dummy weights need %.1f GB; this machine has %.1f",
                        BytesNeeded(specs) / 1e9, machine / 1e9));
  }
  auto weights = std::make_unique<MemoryWeights>();
  for (const WeightSpec& spec : specs) weights->Add(spec.name, spec.shape, MakeValues(spec));
  return weights;
}

}  // namespace baton
