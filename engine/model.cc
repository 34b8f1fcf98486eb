#include "engine/model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "engine/model/architecture.h"

namespace baton {

Model::Model(ModelFacts facts, KvLayout shape, std::unique_ptr<const ModelWeights> weights)
    : facts_(std::move(facts)), shape_(shape), weights_(std::move(weights)) {}

Model::~Model() = default;

KvLayout Model::LayoutFor(DType kv_dtype, int tokens_per_page) const {
  KvLayout layout = shape_;
  layout.dtype = kv_dtype;
  layout.tokens_per_page = tokens_per_page;
  return layout;
}

FingerprintFields Model::Fingerprint(const KvLayout& layout, const Backend& backend) const {
  FingerprintFields fields = FieldsOf(layout);
  fields.emplace_back("rope_pairs", layout.is_gqa() ? "halves" : "interleaved");
  fields.emplace_back("revision", facts_.revision);
  fields.emplace_back("activation", std::string(NameOf(facts_.activation)));
  if (!facts_.exact) {
    fields.emplace_back("kernels", "any");
    return fields;
  }
  fields.emplace_back(
      "kernels", absl::StrCat(backend.name, ",", backend.isa, ",revision ", backend.kernel_revision,
                              layout.is_gqa() ? ",direct" : ",absorbed"));
  return fields;
}

std::string Model::KeyNamespace(const KvLayout& layout, const Backend& backend,
                                absl::string_view name_space) const {
  return absl::StrCat(name_space, "/", ToHex(FingerprintOf(Fingerprint(layout, backend))));
}

absl::StatusOr<DType> KvDTypeFor(const ModelFacts& facts, absl::string_view kv_cache_dtype) {
  if (kv_cache_dtype == "auto") return facts.activation;
  for (const DType dtype : {DType::kBf16, DType::kF16, DType::kF32, DType::kFp8E4m3}) {
    if (kv_cache_dtype == NameOf(dtype)) return dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "kv_cache_dtype ", kv_cache_dtype,
      " is not kept in pages by this version; use auto, bf16, fp16, fp32 or fp8_e4m3"));
}

}  // namespace baton
