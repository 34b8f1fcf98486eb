#include "kvcache/kv_layout.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/digest.h"

namespace baton {

Fingerprint FingerprintOf(const FingerprintFields& fields) {
  Sha256 hash;
  for (const auto& [name, value] : fields) {
    hash.AddString(name);
    hash.AddString(value);
  }
  const Sha256Digest digest = hash.Finish();
  Fingerprint fingerprint{};
  std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
  return fingerprint;
}

FingerprintFields FieldsOf(const KvLayout& layout) {
  if (layout.is_gqa()) {
    return {{"layers", absl::StrCat(layout.num_layers)},
            {"page_tokens", absl::StrCat(layout.tokens_per_page)},
            {"attention", "gqa"},
            {"kv_heads", absl::StrCat(layout.kv_heads)},
            {"head_dim", absl::StrCat(layout.head_dim)},
            {"kv_dtype", std::string(NameOf(layout.dtype))},
            {"page_order", layout.is_fp8() ? "page,layer,key|value,head,values|scale,token"
                                           : "page,layer,key|value,head,token"}};
  }
  return {{"layers", absl::StrCat(layout.num_layers)},
          {"page_tokens", absl::StrCat(layout.tokens_per_page)},
          {"attention", "mla"},
          {"latent_dim", absl::StrCat(layout.latent_dim)},
          {"rope_dim", absl::StrCat(layout.rope_dim)},
          {"kv_dtype", std::string(NameOf(layout.dtype))},
          {"page_order",
           layout.is_fp8() ? "page,layer,latent|rope|scale 128,token" : "page,layer,token"}};
}

std::string Difference(const FingerprintFields& mine, const FingerprintFields& yours) {
  for (std::size_t i = 0; i < std::max(mine.size(), yours.size()); ++i) {
    if (i >= mine.size())
      return absl::StrCat(yours[i].first, ": mine absent, yours ", yours[i].second);
    if (i >= yours.size())
      return absl::StrCat(mine[i].first, ": mine ", mine[i].second, ", yours absent");
    if (mine[i] != yours[i]) {
      return absl::StrCat(
          mine[i].first, ": mine ", mine[i].second, ", yours ", yours[i].second,
          mine[i].first == yours[i].first ? "" : absl::StrCat(" (as ", yours[i].first, ")"));
    }
  }
  return "";
}

}  // namespace baton
