// Random tensors of any type, and how far two of them are apart: what every kernel test is made of.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <ostream>
#include <random>
#include <vector>

#include "kernels/backend.h"
#include "kernels/common/elements.h"

namespace baton::testing {

/// The run's seed: BATON_SEED, or new each time. Print it with every failure.
inline std::uint32_t TestSeed() {
  static const std::uint32_t seed = [] {
    const char* given = std::getenv("BATON_SEED");
    return given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10))
                            : std::random_device{}();
  }();
  return seed;
}

class Random {
 public:
  explicit Random(std::uint32_t salt) : engine_(TestSeed() * 2654435761U + salt) {}

  float Normal(float scale = 1.0F) { return std::normal_distribution<float>(0.0F, scale)(engine_); }
  /// Of [low, high].
  int Integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  template <typename T>
  const T& Pick(const std::vector<T>& options) {
    return options[static_cast<std::size_t>(Integer(0, static_cast<int>(options.size()) - 1))];
  }
  std::mt19937& engine() { return engine_; }

 private:
  std::mt19937 engine_;
};

class Tensor {
 public:
  Tensor() = default;
  /// All NaN: what is neither input nor output must never matter.
  Tensor(DType type, std::int64_t count)
      : type_(type), count_(count), bytes_(static_cast<std::size_t>(count) * BytesOf(type)) {
    for (std::int64_t i = 0; i < count; ++i) Set(i, std::numeric_limits<float>::quiet_NaN());
  }
  static Tensor Normal(Random& random, DType type, std::int64_t count, float scale = 1.0F) {
    Tensor tensor(type, count);
    for (std::int64_t i = 0; i < count; ++i) tensor.Set(i, random.Normal(scale));
    return tensor;
  }

  DType type() const { return type_; }
  std::int64_t count() const { return count_; }
  std::byte* data() { return bytes_.data(); }
  const std::byte* data() const { return bytes_.data(); }
  float Get(std::int64_t i) const { return LoadElement(bytes_.data(), type_, i); }
  void Set(std::int64_t i, float value) { StoreElement(bytes_.data(), type_, i, value); }

  friend bool operator==(const Tensor&, const Tensor&) = default;

 private:
  DType type_ = DType::kF32;
  std::int64_t count_ = 0;
  std::vector<std::byte> bytes_;
};

/// A run of elements that must agree on its own: a bound on the whole hides one wrong row.
struct Rows {
  std::int64_t count = 0;
  std::int64_t length = 0;
  std::int64_t stride = 0;
};

/// ||got - want|| / ||want|| of the worst row; infinite when a value is not finite.
inline double WorstRow(const Tensor& got, const Tensor& want, const Rows& rows) {
  double worst = 0;
  for (std::int64_t r = 0; r < rows.count; ++r) {
    double difference = 0;
    double norm = 0;
    for (std::int64_t i = r * rows.stride; i < r * rows.stride + rows.length; ++i) {
      if (!std::isfinite(got.Get(i))) return std::numeric_limits<double>::infinity();
      difference += std::pow(double{got.Get(i)} - double{want.Get(i)}, 2);
      norm += std::pow(double{want.Get(i)}, 2);
    }
    if (difference > 0) worst = std::max(worst, std::sqrt(difference / std::max(norm, 1e-30)));
  }
  return worst;
}

/// What a result of `type` may differ by, per row: two roundings to bf16 or fp16, or fp32 sums in
/// another order than the reference's sums in double.
inline double Tolerance(DType type) { return type == DType::kF32 ? 1e-4 : 1e-2; }

inline std::int64_t CopyRow(const Tensor& from, std::int64_t from_at, Tensor& to,
                            std::int64_t to_at, std::int64_t count) {
  const auto size = BytesOf(from.type());
  std::memcpy(to.data() + static_cast<std::size_t>(to_at) * size,
              from.data() + static_cast<std::size_t>(from_at) * size,
              static_cast<std::size_t>(count) * size);
  return to_at + count;
}

inline bool SameBits(const Tensor& a, std::int64_t a_at, const Tensor& b, std::int64_t b_at,
                     std::int64_t count) {
  const auto size = BytesOf(a.type());
  return std::memcmp(a.data() + static_cast<std::size_t>(a_at) * size,
                     b.data() + static_cast<std::size_t>(b_at) * size,
                     static_cast<std::size_t>(count) * size) == 0;
}

/// A stream whose workers' scratch is NaN throughout: nothing may count on what stood there.
class PoisonedStream : public Stream {
 public:
  explicit PoisonedStream(int threads) : Stream(threads) {
    constexpr std::size_t kBytes = std::size_t{2} << 20;
    for (int worker = 0; worker < threads; ++worker) {
      std::memset(Scratch(worker, kBytes), 0xff, kBytes);
    }
  }
};

/// Of activations, weights and pages.
inline const std::vector<DType>& StorageTypes() {
  static const std::vector<DType> types{DType::kBf16, DType::kF16, DType::kF32};
  return types;
}

}  // namespace baton::testing
