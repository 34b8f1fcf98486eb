// The methods that template values have: those of Python's str, dict, list and tuple that read.
#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "base/status.h"
#include "server/text/template_access.h"
#include "server/text/template_native.h"
#include "server/text/template_text_ops.h"

namespace baton {
namespace {

using Result = absl::StatusOr<TemplateValue>;

const TemplateText& Self(const TemplateCall& call) { return *call.self().text(); }

Result Strip(const TemplateCall& call) {
  return Stripped(Self(call), call.args[1], {true, true}, call.heap);
}
Result StripOnLeft(const TemplateCall& call) {
  return Stripped(Self(call), call.args[1], {true, false}, call.heap);
}
Result StripOnRight(const TemplateCall& call) {
  return Stripped(Self(call), call.args[1], {false, true}, call.heap);
}
Result Upper(const TemplateCall& call) {
  return WithCase(Self(call), TemplateLetterCase::kUpper, call.heap);
}
Result Lower(const TemplateCall& call) {
  return WithCase(Self(call), TemplateLetterCase::kLower, call.heap);
}
Result Capitalize(const TemplateCall& call) {
  return WithCase(Self(call), TemplateLetterCase::kCapitalized, call.heap);
}

Result SplitText(const TemplateCall& call) {
  const TemplateText* separator = nullptr;
  if (!call.args[1].missing() && !call.args[1].none()) {
    BATON_ASSIGN_OR_RETURN(separator, NeedText(call.args[1], "split"));
  }
  BATON_ASSIGN_OR_RETURN(const std::int64_t count, NeedWhole(call.args[2], -1, "split"));
  return Split(Self(call), separator, count, call.heap);
}

Result ReplaceText(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* from, NeedText(call.args[1], "replace"));
  BATON_ASSIGN_OR_RETURN(const TemplateText* to, NeedText(call.args[2], "replace"));
  BATON_ASSIGN_OR_RETURN(const std::int64_t count, NeedWhole(call.args[3], -1, "replace"));
  return Replaced(Self(call), *from, *to, count, call.heap);
}

// A text, or a tuple of which any may match.
template <typename Matches>
Result MatchesAny(const TemplateCall& call, const Matches& matches) {
  const TemplateList* list = call.args[1].list();
  if (list == nullptr || list->flavor != TemplateList::Flavor::kTuple) {
    BATON_ASSIGN_OR_RETURN(const TemplateText* affix, NeedText(call.args[1], "startswith"));
    return TemplateValue(matches(affix->bytes));
  }
  bool any = false;
  for (const TemplateValue& item : list->items) {
    BATON_ASSIGN_OR_RETURN(const TemplateText* affix, NeedText(item, "startswith"));
    any = any || matches(affix->bytes);
  }
  return TemplateValue(any);
}

Result StartsWith(const TemplateCall& call) {
  return MatchesAny(
      call, [&call](absl::string_view affix) { return absl::StartsWith(Self(call).bytes, affix); });
}
Result EndsWith(const TemplateCall& call) {
  return MatchesAny(
      call, [&call](absl::string_view affix) { return absl::EndsWith(Self(call).bytes, affix); });
}

Result RemovePrefix(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* affix, NeedText(call.args[1], "removeprefix"));
  const TemplateText& text = Self(call);
  const std::size_t cut = absl::StartsWith(text.bytes, affix->bytes) ? affix->bytes.size() : 0;
  return call.heap.Slice(text, cut, text.bytes.size());
}
Result RemoveSuffix(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* affix, NeedText(call.args[1], "removesuffix"));
  const TemplateText& text = Self(call);
  const std::size_t cut = absl::EndsWith(text.bytes, affix->bytes) ? affix->bytes.size() : 0;
  return call.heap.Slice(text, 0, text.bytes.size() - cut);
}

Result FindText(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* part, NeedText(call.args[1], "find"));
  const absl::string_view bytes = Self(call).bytes;
  BATON_RETURN_IF_ERROR(call.heap.SpendBytes(bytes.size()));
  const std::size_t found = bytes.find(part->bytes);
  if (found == absl::string_view::npos) return TemplateValue(std::int64_t{-1});
  return TemplateValue(static_cast<std::int64_t>(CountCharacters(bytes.substr(0, found))));
}

Result CountText(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* part, NeedText(call.args[1], "count"));
  const absl::string_view bytes = Self(call).bytes;
  BATON_RETURN_IF_ERROR(call.heap.SpendBytes(bytes.size()));
  if (part->bytes.empty()) {
    return TemplateValue(static_cast<std::int64_t>(CountCharacters(bytes) + 1));
  }
  std::int64_t count = 0;
  for (std::size_t at = bytes.find(part->bytes); at != absl::string_view::npos;
       at = bytes.find(part->bytes, at + part->bytes.size())) {
    ++count;
  }
  return TemplateValue(count);
}

Result SplitLines(const TemplateCall& call) { return Lines(Self(call), call.heap); }

// str.join takes texts only, unlike the filter.
Result JoinTexts(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const auto items, ItemsOf(call.args[1], call.heap));
  for (const TemplateValue& item : items) {
    BATON_RETURN_IF_ERROR(NeedText(item, "join").status());
  }
  return JoinedTexts(items, Self(call), call.heap);
}

constexpr TemplateNative kTextMethods[] = {
    {"strip", Strip, {"chars"}},
    {"lstrip", StripOnLeft, {"chars"}},
    {"rstrip", StripOnRight, {"chars"}},
    {"upper", Upper},
    {"lower", Lower},
    {"capitalize", Capitalize},
    {"split", SplitText, {"sep", "maxsplit"}},
    {"splitlines", SplitLines},
    {"replace", ReplaceText, {"old", "new", "count"}, 2},
    {"startswith", StartsWith, {"prefix"}, 1},
    {"endswith", EndsWith, {"suffix"}, 1},
    {"removeprefix", RemovePrefix, {"prefix"}, 1},
    {"removesuffix", RemoveSuffix, {"suffix"}, 1},
    {"find", FindText, {"sub"}, 1},
    {"count", CountText, {"sub"}, 1},
    {"join", JoinTexts, {"iterable"}, 1},
};

Result View(const TemplateCall& call, TemplateList::Flavor flavor) {
  std::vector<TemplateValue> items;
  for (const auto& [key, value] : call.self().dict()->members) {
    if (flavor == TemplateList::Flavor::kKeys) {
      items.push_back(key);
    } else if (flavor == TemplateList::Flavor::kValues) {
      items.push_back(value);
    } else {
      const TemplateValue pair[] = {key, value};
      items.push_back(call.heap.List(pair, TemplateList::Flavor::kTuple));
    }
  }
  return call.heap.List(items, flavor);
}

Result Items(const TemplateCall& call) { return View(call, TemplateList::Flavor::kItems); }
Result Keys(const TemplateCall& call) { return View(call, TemplateList::Flavor::kKeys); }
Result Values(const TemplateCall& call) { return View(call, TemplateList::Flavor::kValues); }

Result Get(const TemplateCall& call) {
  if (const TemplateValue* found = call.self().dict()->Find(call.args[1])) return *found;
  return call.args[2].missing() ? TemplateValue(TemplateNone{}) : call.args[2];
}

Result Copy(const TemplateCall& call) { return call.self(); }  // nothing can change either

constexpr TemplateNative kDictMethods[] = {
    {"items", Items}, {"keys", Keys}, {"values", Values}, {"get", Get, {"key", "default"}, 1},
    {"copy", Copy},
};

Result CountItems(const TemplateCall& call) {
  std::int64_t count = 0;
  std::int64_t work = 0;
  for (const TemplateValue& item : call.self().list()->items) {
    count += AreEqual(item, call.args[1], work) ? 1 : 0;
  }
  BATON_RETURN_IF_ERROR(call.heap.Spend(work));
  return TemplateValue(count);
}

constexpr TemplateNative kListMethods[] = {{"count", CountItems, {"value"}, 1}, {"copy", Copy}};

template <std::size_t kCount>
const TemplateNative* FindIn(const TemplateNative (&table)[kCount], absl::string_view name) {
  for (const TemplateNative& native : table) {
    if (native.name == name) return &native;
  }
  return nullptr;
}

// Python's other public attributes, by type. Those that change their object are refused when they
// are reached, as the sandbox of transformers does; those that would be of use are refused when a
// template that calls them is loaded.
constexpr absl::string_view kTextOthers[] = {
    "casefold",  "center",      "encode",  "expandtabs", "format",     "format_map",   "index",
    "isalnum",   "isalpha",     "isascii", "isdecimal",  "isdigit",    "isidentifier", "islower",
    "isnumeric", "isprintable", "isspace", "istitle",    "isupper",    "ljust",        "maketrans",
    "partition", "rfind",       "rindex",  "rjust",      "rpartition", "rsplit",       "swapcase",
    "title",     "translate",   "zfill"};
constexpr absl::string_view kDictOthers[] = {"clear",   "fromkeys",   "pop",
                                             "popitem", "setdefault", "update"};
constexpr absl::string_view kListOthers[] = {"append", "clear",  "extend",  "index", "insert",
                                             "pop",    "remove", "reverse", "sort"};
constexpr absl::string_view kNumberOthers[] = {
    "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator",
    "from_bytes",       "fromhex",   "hex",        "imag",      "is_integer",
    "numerator",        "real",      "to_bytes"};

template <std::size_t kCount>
bool Holds(const absl::string_view (&names)[kCount], absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

const TemplateNative* FindTemplateMethod(const TemplateValue& self, absl::string_view name) {
  if (self.text() != nullptr) return FindIn(kTextMethods, name);
  if (self.dict() != nullptr) return FindIn(kDictMethods, name);
  const bool is_list = self.list() != nullptr && self.list()->indexable();
  return is_list ? FindIn(kListMethods, name) : nullptr;
}

bool IsUnsupportedMethod(absl::string_view name) {
  return Holds(kTextOthers, name) || name == "fromkeys" || name == "cycle" || name == "changed";
}

bool IsPythonAttribute(const TemplateValue& self, absl::string_view name) {
  if (self.text() != nullptr) return Holds(kTextOthers, name);
  if (self.dict() != nullptr) return Holds(kDictOthers, name);
  if (self.list() != nullptr) return Holds(kListOthers, name);
  return IsNumber(self) && Holds(kNumberOthers, name);
}

}  // namespace baton
