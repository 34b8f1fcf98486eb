#include "server/text/template_value.h"

#include <cmath>
#include <type_traits>

#include "absl/container/flat_hash_map.h"
#include "server/text/template_limits.h"

namespace baton {
namespace {

constexpr std::int64_t kBytesAWork = 64;

bool AreEqualLists(const TemplateList& a, const TemplateList& b, std::int64_t& work, int depth) {
  if (a.flavor != b.flavor || a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!AreEqual(a.items[i], b.items[i], work, depth)) return false;
  }
  return true;
}

// The members of `b` by their text keys: dicts of one request may be large.
class KeyIndex {
 public:
  explicit KeyIndex(const TemplateDict& dict) : dict_(dict) {
    for (const auto& [key, value] : dict.members) {
      if (key.text() != nullptr) by_text_.emplace(key.text()->bytes, &value);
    }
  }

  const TemplateValue* Find(const TemplateValue& key) const {
    if (key.text() == nullptr) return dict_.Find(key);
    const auto found = by_text_.find(key.text()->bytes);
    return found == by_text_.end() ? nullptr : found->second;
  }

 private:
  const TemplateDict& dict_;
  absl::flat_hash_map<absl::string_view, const TemplateValue*> by_text_;
};

bool AreEqualDicts(const TemplateDict& a, const TemplateDict& b, std::int64_t& work, int depth) {
  if (&a == &b) return true;
  if (a.members.size() != b.members.size()) return false;
  const KeyIndex index(b);
  for (const auto& [key, value] : a.members) {
    const TemplateValue* other = index.Find(key);
    if (other == nullptr || !AreEqual(value, *other, work, depth)) return false;
  }
  return true;
}

bool AreEqualTexts(const TemplateText& a, const TemplateText& b, std::int64_t& work) {
  if (a.bytes.size() != b.bytes.size()) return false;
  work += static_cast<std::int64_t>(a.bytes.size()) / kBytesAWork;
  return a.bytes == b.bytes;
}

// Integers are compared as integers, whatever their size; with a float in it, as Python does, by
// value: a double is exact, so only the integer may need care.
bool AreEqualNumbers(const TemplateValue& a, const TemplateValue& b) {
  std::int64_t x = 0;
  std::int64_t y = 0;
  const bool whole_a = AsWhole(a, &x);
  const bool whole_b = AsWhole(b, &y);
  if (whole_a && whole_b) return x == y;
  if (a.Is<std::uint64_t>() && b.Is<std::uint64_t>()) {
    return std::get<std::uint64_t>(a.storage) == std::get<std::uint64_t>(b.storage);
  }
  double p = 0;
  double q = 0;
  AsReal(a, &p);
  AsReal(b, &q);
  if (p != q) return false;
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (std::abs(p) >= kTwoTo63) return !whole_a && !whole_b;
  if (whole_a) return static_cast<std::int64_t>(q) == x;
  return !whole_b || static_cast<std::int64_t>(p) == y;
}

}  // namespace

const TemplateValue* TemplateDict::Find(absl::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name.text() != nullptr && name.text()->bytes == key) return &value;
  }
  return nullptr;
}

const TemplateValue* TemplateDict::Find(const TemplateValue& key) const {
  if (key.text() != nullptr) return Find(key.text()->bytes);
  std::int64_t work = 0;
  for (const auto& [name, value] : members) {
    if (AreEqual(name, key, work)) return &value;
  }
  return nullptr;
}

TemplateValue* TemplateNamespace::Find(absl::string_view name) {
  for (auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

void TemplateNamespace::Set(absl::string_view name, const TemplateValue& value) {
  if (TemplateValue* found = Find(name)) {
    *found = value;
  } else {
    members.emplace_back(std::string(name), value);
  }
}

bool IsTrue(const TemplateValue& value) {
  if (value.missing() || value.none() || value.undefined() != nullptr) return false;
  if (const bool* flag = std::get_if<bool>(&value.storage)) return *flag;
  if (const auto* whole = std::get_if<std::int64_t>(&value.storage)) return *whole != 0;
  if (const auto* real = std::get_if<double>(&value.storage)) return *real != 0;
  if (value.text() != nullptr) return !value.text()->bytes.empty();
  if (value.list() != nullptr) return !value.list()->items.empty();
  if (value.dict() != nullptr) return !value.dict()->members.empty();
  return true;
}

absl::string_view TypeNameOf(const TemplateValue& value) {
  static constexpr const char* kNames[] = {
      "Undefined", "Undefined", "NoneType", "bool",      "int",  "int",   "float",    "str",
      "list",      "generator", "dict",     "Namespace", "Loop", "Macro", "function", "method"};
  static constexpr const char* kSequences[] = {"list",      "tuple",       "range",
                                               "dict_keys", "dict_values", "dict_items"};
  if (value.list() != nullptr) return kSequences[static_cast<int>(value.list()->flavor)];
  return kNames[value.storage.index()];
}

bool AsWhole(const TemplateValue& value, std::int64_t* whole) {
  if (const bool* flag = std::get_if<bool>(&value.storage)) {
    *whole = *flag ? 1 : 0;
    return true;
  }
  const auto* number = std::get_if<std::int64_t>(&value.storage);
  if (number == nullptr) return false;
  *whole = *number;
  return true;
}

bool AsReal(const TemplateValue& value, double* real) {
  std::int64_t whole = 0;
  if (AsWhole(value, &whole)) {
    *real = static_cast<double>(whole);
  } else if (const auto* large = std::get_if<std::uint64_t>(&value.storage)) {
    *real = static_cast<double>(*large);
  } else if (const auto* number = std::get_if<double>(&value.storage)) {
    *real = *number;
  } else {
    return false;
  }
  return true;
}

bool IsNumber(const TemplateValue& value) {
  double real = 0;
  return AsReal(value, &real);
}

bool AreEqual(const TemplateValue& a, const TemplateValue& b, std::int64_t& work, int depth) {
  ++work;
  if (depth > kTemplateValueDepthMax) return false;
  if (IsNumber(a) && IsNumber(b)) return AreEqualNumbers(a, b);
  if (a.storage.index() != b.storage.index()) return false;
  if (a.text() != nullptr) return AreEqualTexts(*a.text(), *b.text(), work);
  if (a.list() != nullptr) return AreEqualLists(*a.list(), *b.list(), work, depth + 1);
  if (a.dict() != nullptr) return AreEqualDicts(*a.dict(), *b.dict(), work, depth + 1);
  if (a.none() || a.undefined() != nullptr) return true;
  return std::visit(
      [&b](const auto& x) {
        using T = std::decay_t<decltype(x)>;
        if constexpr (std::is_pointer_v<T>) return x == std::get<T>(b.storage);
        return false;
      },
      a.storage);
}

}  // namespace baton
