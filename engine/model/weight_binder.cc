#include "engine/model/weight_binder.h"

#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/model/finite.h"
#include "engine/model/fp8_blocks.h"
#include "engine/model/weight_names.h"
#include "kernels/common/elements.h"

namespace baton {
namespace {

bool DTypeOf(absl::string_view stored, DType* dtype) {
  if (stored == "BF16") {
    *dtype = DType::kBf16;
  } else if (stored == "F16") {
    *dtype = DType::kF16;
  } else if (stored == "F32") {
    *dtype = DType::kF32;
  } else {
    return false;
  }
  return true;
}

std::int64_t ElementsOf(const std::vector<std::int64_t>& shape) {
  std::int64_t elements = 1;
  for (const std::int64_t dim : shape) elements *= dim;
  return elements;
}

absl::string_view StoredNameOf(DType dtype) {
  return dtype == DType::kBf16 ? "BF16" : dtype == DType::kF16 ? "F16" : "F32";
}

// F8_E8M0 is an exponent alone: 2^(code - 127), and NaN for 255. Source: OCP Microscaling 1.0.
float E8m0ToFloat(std::uint8_t code) {
  return code == 0 ? 0x1p-127F : std::bit_cast<float>(static_cast<std::uint32_t>(code) << 23);
}

// False for a type that no scale is stored in.
bool ReadScales(const StoredTensor& stored, std::vector<float>& scales) {
  if (stored.dtype == "F8_E8M0") {
    for (const std::byte code : stored.bytes) {
      scales.push_back(E8m0ToFloat(static_cast<std::uint8_t>(code)));
    }
    return true;
  }
  if (stored.dtype != "F32") return false;
  const auto count = static_cast<std::int64_t>(stored.bytes.size() / sizeof(float));
  for (std::int64_t i = 0; i < count; ++i) {
    scales.push_back(LoadElement(stored.bytes.data(), DType::kF32, i));
  }
  return true;
}

}  // namespace

WeightBinder::WeightBinder(const WeightSource& source, DType dtype,
                           const std::function<void(std::size_t)>& on_bytes, WeightBuffers& buffers)
    : source_(source), dtype_(dtype), on_bytes_(on_bytes), buffers_(buffers) {}

const void* WeightBinder::Get(const std::string& name) {
  const StoredTensor* stored = Find(name);
  if (stored == nullptr) return nullptr;
  if (stored->dtype == "F8_E4M3" && stored->shape.size() > 1) return Widen(name, *stored);
  DType from{};
  if (DTypeOf(stored->dtype, &from)) return Convert(name, *stored, from, dtype_);
  status_ = absl::InvalidArgumentError(
      absl::StrCat("tensor ", name, " is stored as ", stored->dtype,
                   "; readable are BF16, F16, F32, and F8_E4M3 with weight_scale_inv"));
  return nullptr;
}

const float* WeightBinder::GetFloats(const std::string& name) {
  const StoredTensor* stored = Find(name);
  if (stored == nullptr) return nullptr;
  DType from{};
  if (DTypeOf(stored->dtype, &from)) {
    return static_cast<const float*>(Convert(name, *stored, from, DType::kF32));
  }
  status_ = absl::InvalidArgumentError(absl::StrCat("tensor ", name, " is stored as ",
                                                    stored->dtype, "; needed is F32, BF16 or F16"));
  return nullptr;
}

const StoredTensor* WeightBinder::Find(const std::string& name) {
  if (!status_.ok()) return nullptr;
  const StoredTensor* stored = source_.Find(name);
  if (stored == nullptr) {
    status_ = absl::InvalidArgumentError(absl::StrCat("tensor ", name, " is missing"));
    return nullptr;
  }
  if (on_bytes_) on_bytes_(stored->bytes.size());
  return stored;
}

// Bytes as stored were looked at when they were read; a narrower type may not hold them.
const void* WeightBinder::Checked(const std::string& name, const std::byte* copy,
                                  std::size_t elements, DType dtype) {
  const std::span<const std::byte> bytes(copy, elements * BytesOf(dtype));
  if (!FirstNotFinite(bytes, StoredNameOf(dtype)).has_value()) return copy;
  status_ = absl::InvalidArgumentError(
      absl::StrCat("tensor ", name, " holds numbers too large for ", NameOf(dtype),
                   "; set model.dtype (--dtype) to bfloat16 or float32"));
  return nullptr;
}

const void* WeightBinder::Convert(const std::string& name, const StoredTensor& stored, DType from,
                                  DType to) {
  const auto address = reinterpret_cast<std::uintptr_t>(stored.bytes.data());
  if (from == to && address % BytesOf(from) == 0) return stored.bytes.data();
  const auto count = static_cast<std::int64_t>(stored.bytes.size() / BytesOf(from));
  std::byte* copy = AllocateBytes(static_cast<std::size_t>(count) * BytesOf(to));
  if (copy == nullptr) return nullptr;
  for (std::int64_t i = 0; i < count; ++i) {
    StoreElement(copy, to, i, LoadElement(stored.bytes.data(), from, i));
  }
  return Checked(name, copy, static_cast<std::size_t>(count), to);
}

// Any dimensions before the last two are as many matrices, each with its own scales.
const void* WeightBinder::Widen(const std::string& name, const StoredTensor& stored) {
  const WeightSpec scale_spec = ScaleSpecOf({name, stored.shape});
  const StoredTensor* stored_scales = Find(scale_spec.name);
  if (stored_scales == nullptr) return nullptr;
  std::vector<float> scales;
  if (!ReadScales(*stored_scales, scales)) {
    status_ = absl::InvalidArgumentError(absl::StrCat("tensor ", scale_spec.name, " is stored as ",
                                                      stored_scales->dtype,
                                                      "; needed is F32 or F8_E8M0"));
    return nullptr;
  }
  std::byte* copy = Allocate(ElementsOf(stored.shape));
  if (copy == nullptr) return nullptr;
  const std::int64_t rows = stored.shape[stored.shape.size() - 2];
  const std::int64_t cols = stored.shape.back();
  const auto matrix = static_cast<std::size_t>(rows * cols);
  const auto matrix_scales = static_cast<std::size_t>(
      scale_spec.shape[scale_spec.shape.size() - 2] * scale_spec.shape.back());
  for (std::size_t i = 0; matrix > 0 && i < stored.bytes.size() / matrix; ++i) {
    WidenFp8Blocks(stored.bytes.subspan(i * matrix, matrix),
                   std::span<const float>(scales).subspan(i * matrix_scales, matrix_scales), rows,
                   cols, dtype_, copy + i * matrix * BytesOf(dtype_));
  }
  return Checked(name, copy, stored.bytes.size(), dtype_);
}

std::byte* WeightBinder::Allocate(std::int64_t elements) {
  return AllocateBytes(static_cast<std::size_t>(elements) * BytesOf(dtype_));
}

std::byte* WeightBinder::AllocateBytes(std::size_t bytes) {
  if (!status_.ok()) return nullptr;
  std::unique_ptr<std::byte[]> memory(new (std::nothrow) std::byte[bytes]);
  if (memory == nullptr) {
    status_ =
        absl::ResourceExhaustedError(absl::StrCat("no memory for ", bytes, " bytes of weights"));
    return nullptr;
  }
  buffers_.push_back(std::move(memory));
  return buffers_.back().get();
}

}  // namespace baton
