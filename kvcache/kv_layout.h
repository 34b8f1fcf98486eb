// Where a token's keys and values stand in memory.
//
// A pool is one allocation, page-major: [page][layer][layer_bytes]. All layers of a page are
// adjacent, so a whole page is one transfer; one layer of a page is one contiguous run, so layers
// can also be sent as they are computed. A layer of a page is a row of planes, each [token][row]:
//   MLA  one plane; a row is [latent | rope]
//   GQA  [K | V][kv_head] planes; a row is [head_dim]: a range of heads is contiguous
// all in `dtype`. fp8 pages carry their scales with them, in planes beside those of the values:
//   MLA  a plane of [latent] fp8, one of [rope] bf16, one of [scale] fp32, a scale 128 values
//   GQA  [K | V][kv_head][values | scale] planes: rows of [head_dim] fp8, and of one fp32
//
// Two workers may exchange pages only when every field of their fingerprints agrees; the list of
// named fields exists so that a refusal can name the one that differs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "base/ids.h"

namespace baton {

struct KvLayout {
  int num_layers = 0;
  int tokens_per_page = 64;  // the MLA kernel's tile
  int latent_dim = 0;        // MLA kv_lora_rank: shared by keys and values
  int rope_dim = 0;          // decoupled rotary part of the key, stored after the latent
  int kv_heads = 0;          // GQA, instead of the latent: heads of keys, and of values
  int head_dim = 0;          // of each of them
  DType dtype = DType::kBf16;

  /// Latent values that share a scale in pages of fp8.
  static constexpr int kScaleBlock = 128;

  constexpr bool is_gqa() const { return kv_heads > 0; }
  constexpr bool is_fp8() const { return dtype == DType::kFp8E4m3; }
  constexpr int Planes() const {
    if (is_gqa()) return is_fp8() ? 4 * kv_heads : 2 * kv_heads;
    return is_fp8() ? 3 : 1;
  }
  /// Of one token in a plane, of [0, Planes()).
  constexpr std::size_t RowBytes(int plane) const {
    if (is_gqa()) {
      const bool scale = is_fp8() && plane % 2 == 1;
      return scale ? sizeof(float) : static_cast<std::size_t>(head_dim) * BytesOf(dtype);
    }
    if (!is_fp8()) return static_cast<std::size_t>(latent_dim + rope_dim) * BytesOf(dtype);
    if (plane == 0) return static_cast<std::size_t>(latent_dim);
    if (plane == 1) return static_cast<std::size_t>(rope_dim) * BytesOf(DType::kBf16);
    const int scales = (latent_dim + kScaleBlock - 1) / kScaleBlock;
    return static_cast<std::size_t>(scales) * sizeof(float);
  }
  constexpr std::size_t PlaneBytes(int plane) const {
    return static_cast<std::size_t>(tokens_per_page) * RowBytes(plane);
  }
  /// Of one token in all planes of a layer.
  constexpr std::size_t TokenBytes() const {
    std::size_t bytes = 0;
    for (int plane = 0; plane < Planes(); ++plane) bytes += RowBytes(plane);
    return bytes;
  }
  constexpr std::size_t LayerBytes() const {
    return static_cast<std::size_t>(tokens_per_page) * TokenBytes();
  }
  constexpr std::size_t PageBytes() const {
    return static_cast<std::size_t>(num_layers) * LayerBytes();
  }
  constexpr std::size_t OffsetOf(PageId page, int layer) const {
    return std::size_t{Index(page)} * PageBytes() + static_cast<std::size_t>(layer) * LayerBytes();
  }
  constexpr int PagesFor(int num_tokens) const {
    return (num_tokens + tokens_per_page - 1) / tokens_per_page;
  }

  friend bool operator==(const KvLayout&, const KvLayout&) = default;
};

using Fingerprint = std::array<std::uint8_t, 16>;

/// What must be equal at both ends of a hand-off, by name, in a fixed order: layers, tokens a page,
/// dims, element type, rope pairing, model revision, backend and ISA level (exact mode), protocol.
using FingerprintFields = std::vector<std::pair<std::string, std::string>>;

/// First 128 bits of SHA-256 over the names and values.
Fingerprint FingerprintOf(const FingerprintFields& fields);

/// The fields that KvLayout itself contributes.
FingerprintFields FieldsOf(const KvLayout& layout);

/// "" when equal, else the first difference in words: "kv_dtype: mine bf16, yours fp32".
std::string Difference(const FingerprintFields& mine, const FingerprintFields& yours);

}  // namespace baton
