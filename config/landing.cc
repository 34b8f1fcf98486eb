#include "config/landing.h"

namespace baton {
namespace {

constexpr int kAuto = -1;

std::vector<std::string> TextsOf(const JsonValue& value) {
  std::vector<std::string> texts;
  if (value.AsArray() == nullptr) return texts;
  for (const JsonValue& item : *value.AsArray()) texts.push_back(*item.AsString());
  return texts;
}

std::int64_t IntegerOf(const JsonValue& value) {
  std::int64_t integer = kAuto;
  value.AsInt(&integer);
  return integer;
}

/// One `operator()` for each kind of field; the table's types make sure that the value fits.
struct Lander {
  const JsonValue& value;
  Config& config;

  void operator()(std::monostate) const {}
  void operator()(Field<bool> field) const { field(config) = *value.AsBool(); }
  void operator()(Field<int> field) const { field(config) = static_cast<int>(IntegerOf(value)); }
  void operator()(Field<std::uint32_t> field) const {
    field(config) = static_cast<std::uint32_t>(IntegerOf(value));
  }
  void operator()(Field<std::uint64_t> field) const {
    field(config) = static_cast<std::uint64_t>(IntegerOf(value));
  }
  void operator()(Field<double> field) const { value.AsDouble(&field(config)); }
  void operator()(Field<std::string> field) const { field(config) = *value.AsString(); }
  void operator()(Field<std::vector<std::string>> field) const { field(config) = TextsOf(value); }
  void operator()(Field<std::optional<bool>> field) const { field(config) = *value.AsBool(); }

  void operator()(Field<std::map<std::string, ClassConfig>> field) const {
    for (const auto& [name, budget] : value.AsObject()->members()) {
      ClassConfig& landed = field(config)[name];
      const JsonObject& parts = *budget.AsObject();
      if (const JsonValue* ttft = parts.Find("ttft_ms")) {
        landed.ttft_ms = static_cast<int>(IntegerOf(*ttft));
      }
      if (const JsonValue* itl = parts.Find("itl_ms")) {
        landed.itl_ms = static_cast<int>(IntegerOf(*itl));
      }
    }
  }
  void operator()(Field<std::map<std::string, std::int64_t>> field) const {
    for (const auto& [name, number] : value.AsObject()->members()) {
      field(config)[name] = IntegerOf(number);
    }
  }
  void operator()(Field<std::map<std::string, std::string>> field) const {
    for (const auto& [name, part] : value.AsObject()->members()) {
      field(config)[name] = WriteYamlValue(part);
    }
  }
};

}  // namespace

void Land(const Settings& settings, Config& config) {
  for (const Setting& setting : settings.all()) {
    if (!setting.value.is_null()) std::visit(Lander{setting.value, config}, setting.key->landing);
  }
}

}  // namespace baton
