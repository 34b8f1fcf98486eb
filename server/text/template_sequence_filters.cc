// Filters on sequences. Those that Jinja makes lazily give generators here too: walked once, always
// true, without a length.
#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_access.h"
#include "server/text/template_filters.h"
#include "server/text/template_letters.h"
#include "server/text/template_operators.h"
#include "server/text/template_text_ops.h"

namespace baton {
namespace {

using Result = absl::StatusOr<TemplateValue>;
using Values = absl::Span<const TemplateValue>;

bool Flag(const TemplateCall& call, std::size_t i) {
  return !call.args[i].missing() && IsTrue(call.args[i]);
}

// Texts are compared without regard to case unless the template asks for it.
TemplateValue Folded(const TemplateValue& value, bool case_sensitive, TemplateHeap& heap) {
  if (case_sensitive || value.text() == nullptr) return value;
  return heap.Text(LowerOf(value.text()->bytes), false);
}

Result List(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  return call.heap.List(items);
}

Result First(const TemplateCall& call) {
  if (auto* generator = call.self().As<TemplateGenerator>()) {
    if (generator->next < generator->items.size()) return generator->items[generator->next++];
    return call.heap.Undefined("the first item");
  }
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  return items.empty() ? call.heap.Undefined("the first item") : items.front();
}

absl::Status RefuseGenerator(const TemplateCall& call) {
  if (call.self().As<TemplateGenerator>() == nullptr) return absl::OkStatus();
  return TemplateError("what a lazy filter returned cannot be reversed: use | list");
}

Result Last(const TemplateCall& call) {
  BATON_RETURN_IF_ERROR(RefuseGenerator(call));
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  return items.empty() ? call.heap.Undefined("the last item") : items.back();
}

Result Reverse(const TemplateCall& call) {
  if (call.self().text() != nullptr) {
    return GetSlice(call.self(), {{}, {}, TemplateValue(std::int64_t{-1})}, call.heap);
  }
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  std::vector<TemplateValue> reversed(items.rbegin(), items.rend());
  return call.heap.Generator(reversed);
}

Result Join(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  const TemplateText empty;
  const TemplateText* separator = &empty;
  if (!call.args[1].missing()) {
    BATON_ASSIGN_OR_RETURN(separator, NeedText(call.args[1], "join"));
  }
  if (call.args[2].missing() || call.args[2].none()) {
    return JoinedTexts(items, *separator, call.heap);
  }
  std::vector<TemplateValue> parts;
  for (const TemplateValue& item : items) {
    BATON_ASSIGN_OR_RETURN(const TemplateValue part, GetPath(item, call.args[2], call.heap));
    parts.push_back(part);
  }
  return JoinedTexts(parts, *separator, call.heap);
}

Result Items(const TemplateCall& call) {
  if (call.self().undefined() != nullptr) return call.heap.Generator({});
  const TemplateDict* dict = call.self().dict();
  if (dict == nullptr) return TemplateError("items needs a mapping");
  std::vector<TemplateValue> pairs;
  for (const auto& [key, value] : dict->members) {
    const TemplateValue pair[] = {key, value};
    pairs.push_back(call.heap.List(pair, TemplateList::Flavor::kTuple));
  }
  return call.heap.Generator(pairs);
}

struct Keyed {
  TemplateValue key;
  TemplateValue item;
};

// Stable, smallest first; a comparison that Python refuses ends it.
absl::Status SortByKey(std::vector<Keyed>& items, bool reverse, TemplateHeap& heap) {
  absl::Status failed;
  const auto less = [&](const Keyed& a, const Keyed& b) {
    if (!failed.ok()) return false;
    const absl::StatusOr<int> order =
        reverse ? Order(b.key, a.key, heap) : Order(a.key, b.key, heap);
    if (!order.ok()) failed = order.status();
    return order.ok() && *order < 0;
  };
  std::stable_sort(items.begin(), items.end(), less);
  return failed;
}

Result Sorted(const std::vector<Keyed>& items, TemplateHeap& heap) {
  std::vector<TemplateValue> values;
  for (const Keyed& item : items) values.push_back(item.item);
  return heap.List(values);
}

absl::StatusOr<TemplateValue> KeyOf(const TemplateValue& item, const TemplateValue& attribute,
                                    bool case_sensitive, TemplateHeap& heap) {
  if (attribute.missing() || attribute.none()) return Folded(item, case_sensitive, heap);
  BATON_ASSIGN_OR_RETURN(const TemplateValue key, GetPath(item, attribute, heap));
  return Folded(key, case_sensitive, heap);
}

Result Sort(const TemplateCall& call) {
  const TemplateText* path = call.args[3].text();
  if (path != nullptr && path->bytes.find(',') != absl::string_view::npos) {
    return TemplateError("sort by several attributes is not supported");
  }
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  std::vector<Keyed> keyed;
  for (const TemplateValue& item : items) {
    BATON_ASSIGN_OR_RETURN(const TemplateValue key,
                           KeyOf(item, call.args[3], Flag(call, 2), call.heap));
    BATON_RETURN_IF_ERROR(call.heap.Check());
    keyed.push_back({key, item});
  }
  BATON_RETURN_IF_ERROR(SortByKey(keyed, Flag(call, 1), call.heap));
  return Sorted(keyed, call.heap);
}

Result DictSort(const TemplateCall& call) {
  const TemplateDict* dict = call.self().dict();
  if (dict == nullptr) return TemplateError("dictsort needs a mapping");
  const TemplateText* by = call.args[2].text();
  const bool by_value = by != nullptr && by->bytes == "value";
  if (by != nullptr && !by_value && by->bytes != "key") {
    return TemplateError("dictsort: by is 'key' or 'value'");
  }
  std::vector<Keyed> keyed;
  for (const auto& [key, value] : dict->members) {
    const TemplateValue pair[] = {key, value};
    const TemplateValue& sorted_by = by_value ? value : key;
    keyed.push_back({Folded(sorted_by, Flag(call, 1), call.heap),
                     call.heap.List(pair, TemplateList::Flavor::kTuple)});
    BATON_RETURN_IF_ERROR(call.heap.Check());
  }
  BATON_RETURN_IF_ERROR(SortByKey(keyed, Flag(call, 3), call.heap));
  return Sorted(keyed, call.heap);
}

Result Unique(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  std::vector<TemplateValue> seen;
  std::vector<TemplateValue> kept;
  for (const TemplateValue& item : items) {
    TemplateValue key = item;
    if (!call.args[2].missing() && !call.args[2].none()) {
      BATON_ASSIGN_OR_RETURN(key, GetPath(item, call.args[2], call.heap));
    }
    if (key.list() != nullptr || key.dict() != nullptr) {
      return TemplateError(absl::StrFormat("unique does not work on a %s", TypeNameOf(key)));
    }
    key = Folded(key, Flag(call, 1), call.heap);
    std::int64_t work = 0;
    const bool known = std::any_of(seen.begin(), seen.end(), [&](const TemplateValue& other) {
      return AreEqual(other, key, work);
    });
    BATON_RETURN_IF_ERROR(call.heap.Spend(work));
    if (known) continue;
    seen.push_back(key);
    kept.push_back(item);
  }
  return call.heap.Generator(kept);
}

absl::StatusOr<const TemplateNative*> Named(const TemplateValue& name, bool test) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* text, NeedText(name, test ? "select" : "map"));
  const TemplateNative* native =
      test ? FindTemplateTest(text->bytes) : FindTemplateFilter(text->bytes);
  if (native != nullptr) return native;
  return TemplateError(absl::StrFormat("no %s of that name", test ? "test" : "filter"));
}

// map(attribute='a.b', default=x).
Result MapAttribute(const TemplateCall& call) {
  TemplateValue path;
  TemplateValue fallback;
  for (const auto& [name, value] : call.keywords) {
    if (name != "attribute" && name != "default") {
      return TemplateError("map takes a filter, or attribute and default");
    }
    (name == "attribute" ? path : fallback) = value;
  }
  if (path.missing()) return TemplateError("map needs a filter or an attribute");
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  std::vector<TemplateValue> mapped;
  for (const TemplateValue& item : items) {
    BATON_ASSIGN_OR_RETURN(TemplateValue value, GetPath(item, path, call.heap));
    const bool given = !fallback.missing() && !fallback.none();
    if (given && value.undefined() != nullptr) value = fallback;
    BATON_RETURN_IF_ERROR(call.heap.Check());
    mapped.push_back(value);
  }
  return call.heap.Generator(mapped);
}

Result Map(const TemplateCall& call) {
  if (!IsTrue(call.self())) return call.heap.Generator({});
  if (call.args.size() < 2) return MapAttribute(call);
  BATON_ASSIGN_OR_RETURN(const TemplateNative* filter, Named(call.args[1], false));
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  std::vector<TemplateValue> mapped;
  for (const TemplateValue& item : items) {
    BATON_RETURN_IF_ERROR(call.heap.Spend(kTemplateStepParts / 4));
    BATON_ASSIGN_OR_RETURN(
        const TemplateValue value,
        CallNative(*filter, call.heap, call.now, {item, call.args.subspan(2), call.keywords}));
    mapped.push_back(value);
  }
  return call.heap.Generator(mapped);
}

// select, reject (`attribute` 0) and selectattr, rejectattr (1): items whose test says `wanted`.
Result Choose(const TemplateCall& call, std::size_t attribute, bool wanted) {
  if (!IsTrue(call.self())) return call.heap.Generator({});
  if (call.args.size() < 1 + attribute) return TemplateError("selectattr needs an attribute");
  const TemplateNative* test = nullptr;
  if (call.args.size() > 1 + attribute) {
    BATON_ASSIGN_OR_RETURN(test, Named(call.args[1 + attribute], true));
  }
  BATON_ASSIGN_OR_RETURN(const Values items, ItemsOf(call.self(), call.heap));
  std::vector<TemplateValue> kept;
  for (const TemplateValue& item : items) {
    BATON_RETURN_IF_ERROR(call.heap.Spend(kTemplateStepParts / 4));
    TemplateValue tested = item;
    if (attribute == 1) {
      BATON_ASSIGN_OR_RETURN(tested, GetPath(item, call.args[1], call.heap));
    }
    TemplateValue verdict = tested;
    if (test != nullptr) {
      BATON_ASSIGN_OR_RETURN(verdict,
                             CallNative(*test, call.heap, call.now,
                                        {tested, call.args.subspan(2 + attribute), call.keywords}));
    }
    if (IsTrue(verdict) == wanted) kept.push_back(item);
  }
  return call.heap.Generator(kept);
}

Result Select(const TemplateCall& call) { return Choose(call, 0, true); }
Result Reject(const TemplateCall& call) { return Choose(call, 0, false); }
Result SelectAttribute(const TemplateCall& call) { return Choose(call, 1, true); }
Result RejectAttribute(const TemplateCall& call) { return Choose(call, 1, false); }

constexpr TemplateNative kFilters[] = {
    {"dictsort", DictSort, {"case_sensitive", "by", "reverse"}},
    {"first", First},
    {"items", Items},
    {"join", Join, {"d", "attribute"}},
    {"last", Last},
    {"list", List},
    {"map", Map, {}, 0, true},
    {"reject", Reject, {}, 0, true},
    {"rejectattr", RejectAttribute, {}, 0, true},
    {"reverse", Reverse},
    {"select", Select, {}, 0, true},
    {"selectattr", SelectAttribute, {}, 0, true},
    {"sort", Sort, {"reverse", "case_sensitive", "attribute"}},
    {"unique", Unique, {"case_sensitive", "attribute"}},
};

}  // namespace

absl::Span<const TemplateNative> TemplateSequenceFilters() { return kFilters; }

}  // namespace baton
