// What a chat template computes with: a closed set of values, so that there is nothing else to
// reach. A value is small and copied freely; what it points to belongs to the template, to the
// request, or to the run's TemplateHeap, and lives as long as the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/text/template_text.h"

namespace baton {

struct TemplateDict;
struct TemplateFrame;
struct TemplateList;
struct TemplateLoop;
struct TemplateMethod;
struct TemplateNamespace;
struct TemplateNative;
struct TemplateStatement;
struct TemplateGenerator;

/// Never assigned: reading it gives an undefined value.
struct TemplateMissing {};
struct TemplateNone {};

/// A name or attribute that is not there. Prints as nothing; most uses of it are errors.
struct TemplateUndefined {
  absl::string_view name;
  absl::string_view owner;  // "dict object"; empty: a variable
};

struct TemplateMacro {
  const TemplateStatement* definition = nullptr;
  TemplateFrame* frame = nullptr;  // where it was defined
};

struct TemplateValue {
  using Storage =
      std::variant<TemplateMissing, const TemplateUndefined*, TemplateNone, bool, std::int64_t,
                   std::uint64_t, double, const TemplateText*, const TemplateList*,
                   TemplateGenerator*, const TemplateDict*, TemplateNamespace*, TemplateLoop*,
                   const TemplateMacro*, const TemplateNative*, const TemplateMethod*>;

  Storage storage;

  TemplateValue() = default;
  template <typename T>
  requires std::is_constructible_v<Storage, T> TemplateValue(T value)
      : storage(value) {}  // NOLINT: a value of the set

  template <typename T>
  bool Is() const {
    return std::holds_alternative<T>(storage);
  }
  /// The pointer alternative, or null.
  template <typename T>
  T* As() const {
    T* const* found = std::get_if<T*>(&storage);
    return found == nullptr ? nullptr : *found;
  }
  const TemplateText* text() const { return As<const TemplateText>(); }
  const TemplateList* list() const { return As<const TemplateList>(); }
  const TemplateDict* dict() const { return As<const TemplateDict>(); }
  const TemplateUndefined* undefined() const { return As<const TemplateUndefined>(); }
  bool missing() const { return Is<TemplateMissing>(); }
  bool none() const { return Is<TemplateNone>(); }
};

/// Lists, tuples and Python's sequence-like views. Which one it is shows in print, in `==`, in what
/// can be indexed.
struct TemplateList {
  enum class Flavor : std::uint8_t { kList, kTuple, kRange, kKeys, kValues, kItems };
  absl::Span<const TemplateValue> items;
  Flavor flavor = Flavor::kList;

  bool indexable() const { return flavor <= Flavor::kRange; }
};

/// What lazy filters (map, select, ...) give: can be walked once.
struct TemplateGenerator {
  absl::Span<const TemplateValue> items;
  std::size_t next = 0;
};

/// Keys are texts, numbers, booleans or none; in insertion order.
struct TemplateDict {
  absl::Span<const std::pair<TemplateValue, TemplateValue>> members;

  /// Linear: who calls it in a loop accounts for it.
  const TemplateValue* Find(const TemplateValue& key) const;
  const TemplateValue* Find(absl::string_view key) const;
};

/// The one thing that can be changed: `namespace()` and `{% set ns.x = ... %}`.
struct TemplateNamespace {
  std::vector<std::pair<std::string, TemplateValue>> members;

  TemplateValue* Find(absl::string_view name);
  void Set(absl::string_view name, const TemplateValue& value);
};

/// A method looked up and not yet called: `m.content.strip`.
struct TemplateMethod {
  TemplateValue self;
  const TemplateNative* native = nullptr;
};

/// Python's truth of a value.
bool IsTrue(const TemplateValue& value);

/// Python's name of its type: "str", "int", "NoneType", ...: for messages.
absl::string_view TypeNameOf(const TemplateValue& value);

/// Booleans and whole numbers as Python sees them: True is 1.
bool AsWhole(const TemplateValue& value, std::int64_t* whole);

/// Every number as a double.
bool AsReal(const TemplateValue& value, double* real);

/// bool, int, float.
bool IsNumber(const TemplateValue& value);

/// Python's `==`. Values nested beyond a bound are unequal. Adds to `work` what it cost, about one
/// for each value and each 64 bytes looked at.
bool AreEqual(const TemplateValue& a, const TemplateValue& b, std::int64_t& work, int depth = 0);

}  // namespace baton
