// Finds numbers that are none: a NaN or an infinity in a weight makes every answer garbage, and the
// place in the file says more than a broken logit does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/strings/string_view.h"

namespace baton {

/// Bytes of an element of a safetensors type that can hold a NaN or an infinity; 0 for the others.
std::size_t FloatBytes(absl::string_view dtype);

/// The index of the first element of `bytes`, of type `dtype`, that is no finite number. `bytes`
/// holds whole elements, aligned in any way.
std::optional<std::size_t> FirstNotFinite(std::span<const std::byte> bytes,
                                          absl::string_view dtype);

}  // namespace baton
