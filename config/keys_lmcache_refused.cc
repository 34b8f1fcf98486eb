// Rows of LMCache's keys that would change results or security: start fails where they are set.
// Source: LMCache, lmcache/v1/config.py at 000620e3.
#include "config/keys.h"

namespace baton {
namespace {

constexpr Key Refused(absl::string_view path, ValueType type, absl::string_view default_text,
                      absl::string_view help) {
  return {path, type, default_text, help, {}, Effect::kNow, Verdict::kRefuse};
}

constexpr char kBlending[] =
    "reuse that is not a prefix changes tokens; leave it out, prefixes are always reused";
constexpr char kHidden[] = "hidden states and multimodal caches are not kept; leave it out";
constexpr char kCode[] = "code in a configuration is not run; leave it out";
constexpr char kFetch[] = "configuration is not fetched from elsewhere; put the keys in this file";

constexpr Key kKeys[] = {
    Refused("enable_blending", Boolean(), "false", kBlending),
    Refused("blend_recompute_ratios", OneOrList(), "null", kBlending),
    Refused("blend_thresholds", OneOrList(), "null", kBlending),
    Refused("blend_check_layers", OneOrList(), "null", kBlending),
    Refused("blend_min_tokens", Integer(0, kIntMax, "tokens"), "256", kBlending),
    Refused("blend_special_str", Text(), "\" # # \"", kBlending),
    Refused("enable_hidden_state_cache", Boolean(), "false", kHidden),
    Refused("max_hidden_state_cpu_size", Gib(), "2.0", kHidden),
    Refused("hidden_state_layers", OneOrList(), "null", kHidden),
    Refused("hidden_states_retrieve_mode", Text(), "prefix_strict", kHidden),
    Refused("ec_*", Text(), "null", kHidden),
    Refused("storage_plugins", OneOrList(), "null", kCode),
    Refused("runtime_plugin_locations", OneOrList(), "null", kCode),
    Refused("script_allowed_imports", OneOrList(), "null", kCode),
    Refused("remote_config_url", Text(), "null", kFetch),
    Refused("app_id", Text(), "null", kFetch),
};

}  // namespace

absl::Span<const Key> LmcacheRefusedKeys() { return kKeys; }

}  // namespace baton
