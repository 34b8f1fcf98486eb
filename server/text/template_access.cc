#include "server/text/template_access.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "server/text/template_native.h"

namespace baton {
namespace {

constexpr std::size_t kMembersAPart = 8;  // of a dict searched

// `unsafe` names lead nowhere, as in the sandbox that this stands for: they are undefined.
bool IsPrivate(absl::string_view name) { return !name.empty() && name[0] == '_'; }

std::string OwnerOf(const TemplateValue& value) {
  return absl::StrCat(TypeNameOf(value), " object");
}

// `name` is the template's, or a text of the run: it lives as long as either.
TemplateValue NotThere(const TemplateValue& value, absl::string_view name, TemplateHeap& heap) {
  return heap.Undefined(name, TypeNameOf(value));
}

// The method or other attribute that Python's type itself has; missing if none.
absl::StatusOr<TemplateValue> OwnAttribute(const TemplateValue& value, absl::string_view name,
                                           TemplateHeap& heap) {
  if (auto* space = value.As<TemplateNamespace>()) {
    const TemplateValue* found = space->Find(name);
    return found == nullptr ? TemplateValue() : *found;
  }
  if (value.text() != nullptr && value.text()->safe) {
    return TemplateError("a method of what 'safe' returned is not supported");
  }
  if (const TemplateNative* method = FindTemplateMethod(value, name)) {
    return TemplateValue(
        static_cast<const TemplateMethod*>(heap.New(TemplateMethod{value, method})));
  }
  if (!IsPythonAttribute(value, name)) return TemplateValue();
  return TemplateError(absl::StrFormat("'%s' of a %s is not supported", name, TypeNameOf(value)));
}

// value[key] alone; missing when there is no such item.
absl::StatusOr<TemplateValue> OwnItem(const TemplateValue& value, const TemplateValue& key,
                                      TemplateHeap& heap) {
  if (const TemplateDict* dict = value.dict()) {
    BATON_RETURN_IF_ERROR(
        heap.Spend(static_cast<std::int64_t>(dict->members.size() / kMembersAPart)));
    const TemplateValue* found = dict->Find(key);
    return found == nullptr ? TemplateValue() : *found;
  }
  std::int64_t index = 0;
  if (!AsWhole(key, &index)) return TemplateValue();
  const TemplateList* list = value.list();
  if (list != nullptr && list->indexable()) {
    const auto size = static_cast<std::int64_t>(list->items.size());
    if (index < 0) index += size;
    if (index < 0 || index >= size) return TemplateValue();
    return list->items[static_cast<std::size_t>(index)];
  }
  const TemplateText* text = value.text();
  if (text == nullptr) return TemplateValue();
  BATON_RETURN_IF_ERROR(heap.SpendBytes(text->bytes.size()));
  const auto size = static_cast<std::int64_t>(CountCharacters(text->bytes));
  if (index < 0) index += size;
  if (index < 0 || index >= size) return TemplateValue();
  const std::size_t begin = CharacterOffset(text->bytes, static_cast<std::size_t>(index));
  return heap.Slice(*text, begin, begin + CharacterBytes(text->bytes[begin]));
}

absl::StatusOr<TemplateValue> AttributeThenItem(const TemplateValue& value, absl::string_view name,
                                                TemplateHeap& heap) {
  if (const TemplateUndefined* undefined = value.undefined()) return UndefinedError(*undefined);
  if (!IsPrivate(name)) {
    BATON_ASSIGN_OR_RETURN(TemplateValue own, OwnAttribute(value, name, heap));
    if (!own.missing()) return own;
  }
  const TemplateDict* dict = value.dict();
  if (dict == nullptr) return TemplateValue();
  BATON_RETURN_IF_ERROR(
      heap.Spend(static_cast<std::int64_t>(dict->members.size() / kMembersAPart)));
  const TemplateValue* found = dict->Find(name);
  return found == nullptr ? TemplateValue() : *found;
}

struct Bounds {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t step;
};

bool ReadBound(const TemplateValue& value, std::int64_t absent, std::int64_t& bound) {
  bound = absent;
  return value.missing() || value.none() || AsWhole(value, &bound);
}

// Python's slice.indices().
absl::StatusOr<Bounds> IndicesOf(const TemplateSliceBounds& given, std::int64_t size) {
  Bounds bounds{};
  if (!ReadBound(given.step, 1, bounds.step)) return TemplateError("a slice's step is no integer");
  if (bounds.step == 0) return TemplateError("a slice's step is 0");
  const bool back = bounds.step < 0;
  constexpr std::int64_t kAbsent = std::numeric_limits<std::int64_t>::max();
  const auto place = [&](const TemplateValue& value, std::int64_t absent,
                         std::int64_t& bound) -> bool {
    if (!ReadBound(value, kAbsent, bound)) return false;
    if (value.missing() || value.none()) {
      bound = absent;
      return true;
    }
    if (bound < 0) bound = std::max(bound, -size - 1) + size;
    bound = std::clamp<std::int64_t>(bound, back ? -1 : 0, back ? size - 1 : size);
    return true;
  };
  if (!place(given.begin, back ? size - 1 : 0, bounds.begin) ||
      !place(given.end, back ? -1 : size, bounds.end)) {
    return TemplateError("a slice's bound is no integer");
  }
  return bounds;
}

template <typename Take>
void Walk(const Bounds& bounds, const Take& take) {
  std::int64_t at = bounds.begin;
  while (bounds.step > 0 ? at < bounds.end : at > bounds.end) {
    take(static_cast<std::size_t>(at));
    if (__builtin_add_overflow(at, bounds.step, &at)) return;
  }
}

absl::StatusOr<TemplateValue> SliceText(const TemplateText& text, const TemplateSliceBounds& given,
                                        TemplateHeap& heap) {
  BATON_RETURN_IF_ERROR(heap.SpendBytes(text.bytes.size()));
  const auto size = static_cast<std::int64_t>(CountCharacters(text.bytes));
  BATON_ASSIGN_OR_RETURN(const Bounds bounds, IndicesOf(given, size));
  if (bounds.step == 1) {
    const auto offset = [&text](std::int64_t at) {
      return CharacterOffset(text.bytes, static_cast<std::size_t>(at));
    };
    const std::size_t begin = offset(bounds.begin);
    return heap.Slice(text, begin, std::max(begin, offset(bounds.end)));
  }
  std::vector<std::size_t> offsets;
  for (std::size_t at = 0; at < text.bytes.size(); at += CharacterBytes(text.bytes[at])) {
    offsets.push_back(at);
  }
  TemplateTextBuilder out = NewTextBuilder();
  Walk(bounds, [&](std::size_t at) {
    out.Append(text, offsets[at], offsets[at] + CharacterBytes(text.bytes[offsets[at]]));
  });
  return heap.Text(out);
}

}  // namespace

absl::StatusOr<TemplateValue> GetAttribute(const TemplateValue& value, absl::string_view name,
                                           TemplateHeap& heap) {
  BATON_ASSIGN_OR_RETURN(TemplateValue found, AttributeThenItem(value, name, heap));
  if (!found.missing()) return found;
  return NotThere(value, name, heap);
}

absl::StatusOr<TemplateValue> GetItem(const TemplateValue& value, const TemplateValue& key,
                                      TemplateHeap& heap) {
  if (const TemplateUndefined* undefined = value.undefined()) return UndefinedError(*undefined);
  BATON_ASSIGN_OR_RETURN(TemplateValue found, OwnItem(value, key, heap));
  if (!found.missing()) return found;
  const TemplateText* name = key.text();
  if (name == nullptr) return NotThere(value, "that index", heap);
  if (!IsPrivate(name->bytes)) {
    BATON_ASSIGN_OR_RETURN(found, OwnAttribute(value, name->bytes, heap));
    if (!found.missing()) return found;
  }
  return NotThere(value, name->bytes, heap);
}

absl::StatusOr<TemplateValue> GetSlice(const TemplateValue& value,
                                       const TemplateSliceBounds& bounds, TemplateHeap& heap) {
  if (const TemplateUndefined* undefined = value.undefined()) return UndefinedError(*undefined);
  if (value.text() != nullptr) return SliceText(*value.text(), bounds, heap);
  const TemplateList* list = value.list();
  if (list == nullptr || !list->indexable()) {
    return TemplateError(absl::StrFormat("a %s cannot be sliced", TypeNameOf(value)));
  }
  const auto size = static_cast<std::int64_t>(list->items.size());
  BATON_ASSIGN_OR_RETURN(const Bounds found, IndicesOf(bounds, size));
  std::vector<TemplateValue> items;
  Walk(found, [&](std::size_t at) { items.push_back(list->items[at]); });
  return heap.List(items, list->flavor);
}

absl::StatusOr<absl::Span<const TemplateValue>> ItemsOf(const TemplateValue& value,
                                                        TemplateHeap& heap) {
  if (value.list() != nullptr) return value.list()->items;
  if (value.missing() || value.undefined() != nullptr) return absl::Span<const TemplateValue>();
  if (auto* generator = value.As<TemplateGenerator>()) {
    return generator->items.subspan(std::exchange(generator->next, generator->items.size()));
  }
  std::vector<TemplateValue> items;
  if (const TemplateDict* dict = value.dict()) {
    for (const auto& member : dict->members) items.push_back(member.first);
  } else if (const TemplateText* text = value.text()) {
    // A value and a text for each character: held against the limit before it is built.
    BATON_RETURN_IF_ERROR(heap.SpendBytes(text->bytes.size() * sizeof(TemplateText)));
    for (std::size_t at = 0; at < text->bytes.size(); at += CharacterBytes(text->bytes[at])) {
      items.push_back(heap.Slice(*text, at, at + CharacterBytes(text->bytes[at])));
    }
  } else {
    return TemplateError(absl::StrFormat("'%s' is not iterable", OwnerOf(value)));
  }
  const absl::Span<TemplateValue> kept = heap.Keep(absl::Span<const TemplateValue>(items));
  BATON_RETURN_IF_ERROR(heap.Check());
  return absl::Span<const TemplateValue>(kept);
}

absl::StatusOr<std::int64_t> LengthOf(const TemplateValue& value, TemplateHeap& heap) {
  if (const TemplateText* text = value.text()) {
    BATON_RETURN_IF_ERROR(heap.SpendBytes(text->bytes.size()));
    return static_cast<std::int64_t>(CountCharacters(text->bytes));
  }
  if (value.list() != nullptr) return static_cast<std::int64_t>(value.list()->items.size());
  if (value.dict() != nullptr) return static_cast<std::int64_t>(value.dict()->members.size());
  if (value.undefined() != nullptr) return 0;
  return TemplateError(absl::StrFormat("'%s' has no length", OwnerOf(value)));
}

absl::StatusOr<TemplateValue> GetPath(const TemplateValue& value, const TemplateValue& path,
                                      TemplateHeap& heap) {
  if (path.text() == nullptr) return GetItem(value, path, heap);
  TemplateValue at = value;
  for (absl::string_view part : absl::StrSplit(path.text()->bytes, '.')) {
    std::int64_t index = 0;
    const bool number =
        !part.empty() && part[0] >= '0' && part[0] <= '9' && absl::SimpleAtoi(part, &index);
    const TemplateValue key = number ? TemplateValue(index) : heap.Text(part, true);
    BATON_ASSIGN_OR_RETURN(at, GetItem(at, key, heap));
  }
  return at;
}

}  // namespace baton
