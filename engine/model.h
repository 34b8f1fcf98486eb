// A model that is ready to run: its facts and its weights, immutable once loaded. Everybody above
// engine/ reads the facts; only the executor reads the weights.
//
// What two workers must share to exchange pages is said here, in Fingerprint(): the same weights in
// the same layout and, in exact mode, the same arithmetic.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/dtype.h"
#include "base/ids.h"
#include "kernels/backend.h"
#include "kvcache/kv_layout.h"

namespace baton {

class ModelWeights;

/// What the outside may know about a model.
struct ModelFacts {
  std::string name;                 // "builtin:recall", or the directory's last part
  int vocab_size = 0;               // width of a logits row
  int ids_with_text = 0;            // ids from here to vocab_size are padding: never sampled
  int length_tokens_max = 0;        // prompt and answer together
  std::vector<TokenId> end_tokens;  // ascending
  TokenId bos = -1;                 // -1 = the model has none
  DType activation = DType::kBf16;  // also the type its weights are kept in
  std::string revision;  // 64 hexadecimal digits over every byte of the weights and their
                         // configuration; "dummy-..." for made-up weights
  bool exact = true;     // equal bits are promised; then the kernels are in the fingerprint
};

/// Thread: immutable after LoadModel(); any.
class Model {
 public:
  Model(ModelFacts facts, KvLayout shape, std::unique_ptr<const ModelWeights> weights);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const ModelFacts& facts() const { return facts_; }
  const ModelWeights& weights() const { return *weights_; }

  /// How this model's keys and values stand in pages of `tokens_per_page` tokens.
  KvLayout LayoutFor(DType kv_dtype, int tokens_per_page) const;

  /// What must be equal at both ends of a hand-off, by name, in a fixed order.
  FingerprintFields Fingerprint(const KvLayout& layout, const Backend& backend) const;

  /// Seed of the page keys (RootKey): pages of other weights, layouts or namespaces never share a
  /// key. `name_space` is the operator's cache.namespace.
  std::string KeyNamespace(const KvLayout& layout, const Backend& backend,
                           absl::string_view name_space) const;

 private:
  const ModelFacts facts_;
  const KvLayout shape_;  // layers and dims; page size and element type are the caller's
  const std::unique_ptr<const ModelWeights> weights_;
};

/// The element type of pages that `flat.kv_cache_dtype` names; "auto" is the model's activation.
/// Errors: InvalidArgument for a type that this version does not keep pages in.
absl::StatusOr<DType> KvDTypeFor(const ModelFacts& facts, absl::string_view kv_cache_dtype);

}  // namespace baton
