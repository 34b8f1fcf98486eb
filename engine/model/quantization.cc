#include "engine/model/quantization.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

constexpr std::int64_t kBlock = 128;
constexpr char kWhere[] = "quantization_config.";

absl::Status NotRead(absl::string_view what) {
  return absl::UnimplementedError(absl::StrCat(
      "config.json: quantization_config: ", what,
      ", which this version does not read; needed is quant_method fp8, fmt e4m3, dynamic "
      "activations, weight_block_size [128, 128], or unquantised weights"));
}

bool IsBlock(const JsonValue& value) {
  const JsonArray* sides = value.AsArray();
  if (sides == nullptr || sides->size() != 2) return false;
  for (const JsonValue& side : *sides) {
    std::int64_t length = 0;
    if (!side.AsInt(&length) || length != kBlock) return false;
  }
  return true;
}

absl::Status Check(JsonFields& inner) {
  const std::string method = inner.StringOr("quant_method", "missing");
  if (method != "fp8") return NotRead(absl::StrCat("quant_method is ", method));
  const std::string format = inner.StringOr("fmt", "e4m3");
  if (format != "e4m3") return NotRead(absl::StrCat("fmt is ", format));
  const std::string scheme = inner.StringOr("activation_scheme", "dynamic");
  if (scheme != "dynamic") return NotRead(absl::StrCat("activation_scheme is ", scheme));
  const JsonValue* block = inner.Find("weight_block_size");
  if (block == nullptr) return NotRead("weight_block_size is missing (one scale a tensor)");
  if (!IsBlock(*block)) return NotRead("weight_block_size is not [128, 128]");
  return inner.status();
}

}  // namespace

void CheckQuantization(JsonFields& fields, std::vector<std::string>& unknown) {
  const JsonValue* value = fields.Find("quantization_config");
  if (value == nullptr) return;
  if (value->AsObject() == nullptr) {
    fields.Fail(absl::InvalidArgumentError("config.json: quantization_config must be an object"));
    return;
  }
  JsonFields inner(*value->AsObject(), absl::StrCat("config.json: ", kWhere));
  fields.Fail(Check(inner));
  // Powers of two need no special case; which layers are quantised, the stored types say.
  for (const char* name : {"scale_fmt", "modules_to_not_convert", "ignored_layers"}) {
    inner.Ignore(name);
  }
  for (const std::string& name : inner.Unread()) unknown.push_back(kWhere + name);
}

}  // namespace baton
