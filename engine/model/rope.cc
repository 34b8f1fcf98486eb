#include "engine/model/rope.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace baton {
namespace {

constexpr double kPi = 3.14159265358979323846;

// g(m) = 0.1 m ln(factor) + 1
double MscaleOf(const YarnScaling& yarn, double m) {
  return yarn.factor <= 1 ? 1.0 : 0.1 * m * std::log(yarn.factor) + 1.0;
}

// The pair, as a real number, that turns `rotations` times within the trained length.
double CorrectionDim(const ModelShape& shape, double rotations) {
  return shape.rope_dim * std::log(shape.yarn->original_positions / (rotations * 2 * kPi)) /
         (2 * std::log(shape.rope_theta));
}

// Wavelengths above original / low are stretched, those below original / high are not.
double Stretched(const Llama3Scaling& scaling, double frequency) {
  const double wavelength = 2 * kPi / frequency;
  if (wavelength > scaling.original_positions / scaling.low_freq_factor) {
    return frequency / scaling.factor;
  }
  if (wavelength < scaling.original_positions / scaling.high_freq_factor) return frequency;
  const double smooth = (scaling.original_positions / wavelength - scaling.low_freq_factor) /
                        (scaling.high_freq_factor - scaling.low_freq_factor);
  return frequency * ((1 - smooth) / scaling.factor + smooth);
}

// What YaRN multiplies cosines and sines with.
double TableFactor(const YarnScaling& yarn) {
  if (yarn.attention_factor.has_value()) return *yarn.attention_factor;
  return MscaleOf(yarn, yarn.mscale) / MscaleOf(yarn, yarn.mscale_all_dim);
}

}  // namespace

std::vector<double> RopeFrequencies(const ModelShape& shape) {
  const int pairs = shape.rope_dim / 2;
  std::vector<double> frequencies(static_cast<std::size_t>(pairs));
  for (int i = 0; i < pairs; ++i) {
    frequencies[static_cast<std::size_t>(i)] =
        std::pow(shape.rope_theta, -2.0 * i / shape.rope_dim);
  }
  if (shape.llama3.has_value()) {
    for (double& frequency : frequencies) frequency = Stretched(*shape.llama3, frequency);
  }
  if (!shape.yarn.has_value()) return frequencies;
  const YarnScaling& yarn = *shape.yarn;
  const double low = std::max(0.0, std::floor(CorrectionDim(shape, yarn.beta_fast)));
  const double high =
      std::min(shape.rope_dim - 1.0, std::ceil(CorrectionDim(shape, yarn.beta_slow)));
  const double width = high == low ? 0.001 : high - low;
  for (int i = 0; i < pairs; ++i) {
    double& frequency = frequencies[static_cast<std::size_t>(i)];
    const double ramp = std::clamp((i - low) / width, 0.0, 1.0);
    frequency = frequency / yarn.factor * ramp + frequency * (1 - ramp);
  }
  return frequencies;
}

RopeTables MakeRopeTables(const ModelShape& shape, int positions) {
  const std::vector<double> frequencies = RopeFrequencies(shape);
  const double factor = shape.yarn.has_value() ? TableFactor(*shape.yarn) : 1.0;
  RopeTables tables;
  tables.cos.reserve(static_cast<std::size_t>(positions) * frequencies.size());
  tables.sin.reserve(static_cast<std::size_t>(positions) * frequencies.size());
  for (int position = 0; position < positions; ++position) {
    for (const double frequency : frequencies) {
      tables.cos.push_back(static_cast<float>(std::cos(position * frequency) * factor));
      tables.sin.push_back(static_cast<float>(std::sin(position * frequency) * factor));
    }
  }
  return tables;
}

double SoftmaxScale(const DeepseekConfig& config) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(config.QueryDim()));
  if (!config.yarn.has_value()) return scale;
  const double g = MscaleOf(*config.yarn, config.yarn->mscale_all_dim);
  return scale * g * g;
}

}  // namespace baton
