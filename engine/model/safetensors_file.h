// The safetensors format: 8 bytes of header length (little endian), a JSON header, then data. Every
// byte of data belongs to exactly one tensor. The header is hostile until it is checked: what is
// returned lies within the file.
//
// Source: huggingface/safetensors README.md, safetensors/src/tensor.rs. Stricter than that library
// in two things: a header must begin with `{`, and a name comes once.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "engine/model/weight_source.h"

namespace baton {

using StoredTensors = std::map<std::string, StoredTensor, std::less<>>;

/// The tensors of `file`, which outlives them. A type that the format does not know is kept as it
/// is spelled; it matters only where that tensor is used. Errors: InvalidArgument says what is
/// wrong, and with which tensor.
absl::StatusOr<StoredTensors> ParseSafetensors(std::span<const std::byte> file);

}  // namespace baton
