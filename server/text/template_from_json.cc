#include "server/text/template_from_json.h"

#include "base/status.h"

namespace baton {
namespace {

using Result = absl::StatusOr<TemplateValue>;

/// Depth is bounded by the parser that made the JSON.
class Converter {
 public:
  Converter(TemplateHeap& heap, bool trusted, bool copies)
      : heap_(heap), trusted_(trusted), copies_(copies) {}

  Result Convert(const JsonValue& json) {
    BATON_RETURN_IF_ERROR(heap_.Check());
    if (const std::string* text = json.AsString()) return Text(*text);
    if (const JsonArray* array = json.AsArray()) return Array(*array);
    if (const JsonObject* object = json.AsObject()) return Object(*object);
    if (const bool* flag = json.AsBool()) return TemplateValue(*flag);
    if (const auto* whole = std::get_if<std::int64_t>(&json.storage())) {
      return TemplateValue(*whole);
    }
    if (const auto* large = std::get_if<std::uint64_t>(&json.storage())) {
      return TemplateValue(*large);
    }
    if (const auto* real = std::get_if<double>(&json.storage())) return TemplateValue(*real);
    return TemplateValue(TemplateNone{});
  }

 private:
  TemplateValue Text(absl::string_view text) {
    return copies_ ? heap_.Text(text, trusted_) : heap_.TextView(text, trusted_);
  }

  Result Array(const JsonArray& array) {
    std::vector<TemplateValue> items;
    items.reserve(array.size());
    for (const JsonValue& item : array) {
      BATON_ASSIGN_OR_RETURN(const TemplateValue value, Convert(item));
      items.push_back(value);
    }
    return heap_.List(items);
  }

  Result Object(const JsonObject& object) {
    std::vector<TemplateHeap::Member> members;
    members.reserve(object.size());
    for (const auto& [key, item] : object.members()) {
      BATON_ASSIGN_OR_RETURN(const TemplateValue value, Convert(item));
      members.emplace_back(Text(key), value);
    }
    return heap_.Dict(members);
  }

  TemplateHeap& heap_;
  const bool trusted_;
  const bool copies_;
};

}  // namespace

Result ViewOfJson(const JsonValue& json, TemplateHeap& heap) {
  return Converter(heap, false, false).Convert(json);
}

Result CopiedFromJson(const JsonValue& json, bool trusted, TemplateHeap& heap) {
  return Converter(heap, trusted, true).Convert(json);
}

}  // namespace baton
