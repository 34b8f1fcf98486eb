// The tests of chat templates (`x is string`), and the functions that every template can call.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_access.h"
#include "server/text/template_native.h"
#include "server/text/template_operators.h"
#include "server/text/template_print.h"
#include "server/text/template_text_ops.h"

namespace baton {
namespace {

using Result = absl::StatusOr<TemplateValue>;
using Op = TemplateOperator;

template <bool (*kHolds)(const TemplateValue&)>
Result Is(const TemplateCall& call) {
  return TemplateValue(kHolds(call.self()));
}

bool Defined(const TemplateValue& value) { return value.undefined() == nullptr; }
bool Undefined(const TemplateValue& value) { return value.undefined() != nullptr; }
bool None(const TemplateValue& value) { return value.none(); }
bool Mapping(const TemplateValue& value) { return value.dict() != nullptr; }
bool String(const TemplateValue& value) { return value.text() != nullptr; }
bool Boolean(const TemplateValue& value) { return value.Is<bool>(); }
bool True(const TemplateValue& value) { return value.Is<bool>() && IsTrue(value); }
bool False(const TemplateValue& value) { return value.Is<bool>() && !IsTrue(value); }
bool Float(const TemplateValue& value) { return value.Is<double>(); }
bool Integer(const TemplateValue& value) {
  return value.Is<std::int64_t>() || value.Is<std::uint64_t>();
}

bool Iterable(const TemplateValue& value) {
  return value.undefined() != nullptr || value.text() != nullptr || value.list() != nullptr ||
         value.dict() != nullptr || value.As<TemplateGenerator>() != nullptr ||
         value.As<TemplateLoop>() != nullptr;
}

// As Jinja finds out: it has a length and can be indexed. An undefined value pretends to.
bool Sequence(const TemplateValue& value) {
  return value.undefined() != nullptr || value.text() != nullptr || value.dict() != nullptr ||
         (value.list() != nullptr && value.list()->indexable());
}

bool Callable(const TemplateValue& value) {
  return value.As<const TemplateMacro>() != nullptr ||
         value.As<const TemplateNative>() != nullptr || value.As<const TemplateMethod>() != nullptr;
}

template <Op kOp>
Result Compares(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const bool holds, Compare(kOp, call.self(), call.args[1], call.heap));
  return TemplateValue(holds);
}

Result Remainder(const TemplateCall& call, std::int64_t divisor, std::int64_t wanted) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue rest,
                         Compute(Op::kModulo, call.self(), TemplateValue(divisor), call.heap));
  std::int64_t work = 0;
  return TemplateValue(AreEqual(rest, TemplateValue(wanted), work));
}
Result Even(const TemplateCall& call) { return Remainder(call, 2, 0); }
Result Odd(const TemplateCall& call) { return Remainder(call, 2, 1); }

constexpr TemplateNative kTests[] = {
    {"boolean", Is<Boolean>},
    {"callable", Is<Callable>},
    {"defined", Is<Defined>},
    {"eq", Compares<Op::kEqual>, {"other"}, 1},
    {"equalto", Compares<Op::kEqual>, {"other"}, 1},
    {"==", Compares<Op::kEqual>, {"other"}, 1},
    {"even", Even},
    {"false", Is<False>},
    {"float", Is<Float>},
    {"ge", Compares<Op::kGreaterEqual>, {"other"}, 1},
    {">=", Compares<Op::kGreaterEqual>, {"other"}, 1},
    {"gt", Compares<Op::kGreater>, {"other"}, 1},
    {"greaterthan", Compares<Op::kGreater>, {"other"}, 1},
    {">", Compares<Op::kGreater>, {"other"}, 1},
    {"in", Compares<Op::kIn>, {"seq"}, 1},
    {"integer", Is<Integer>},
    {"iterable", Is<Iterable>},
    {"le", Compares<Op::kLessEqual>, {"other"}, 1},
    {"<=", Compares<Op::kLessEqual>, {"other"}, 1},
    {"lt", Compares<Op::kLess>, {"other"}, 1},
    {"lessthan", Compares<Op::kLess>, {"other"}, 1},
    {"<", Compares<Op::kLess>, {"other"}, 1},
    {"mapping", Is<Mapping>},
    {"ne", Compares<Op::kNotEqual>, {"other"}, 1},
    {"!=", Compares<Op::kNotEqual>, {"other"}, 1},
    {"none", Is<None>},
    {"number", Is<IsNumber>},
    {"odd", Odd},
    {"sequence", Is<Sequence>},
    {"string", Is<String>},
    {"true", Is<True>},
    {"undefined", Is<Undefined>},
};

Result RaiseException(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue message, PrintedText(call.args[0], call.heap));
  absl::string_view text = message.text()->bytes;
  if (text.size() > kRaisedMessageBytesMax) {
    std::size_t end = kRaisedMessageBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end);
  }
  return TemplateError(text);
}

Result StrftimeNow(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* format, NeedText(call.args[0], "strftime_now"));
  BATON_RETURN_IF_ERROR(call.heap.SpendBytes(format->bytes.size() * 8));
  BATON_ASSIGN_OR_RETURN(const std::string text, FormatClock(call.now, format->bytes));
  return call.heap.Text(text, format->all_trusted());
}

Result Range(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(std::int64_t first, NeedWhole(call.args[0], 0, "range"));
  std::int64_t begin = 0;
  std::int64_t end = first;
  if (!call.args[1].missing()) {
    begin = first;
    BATON_ASSIGN_OR_RETURN(end, NeedWhole(call.args[1], 0, "range"));
  }
  BATON_ASSIGN_OR_RETURN(const std::int64_t step, NeedWhole(call.args[2], 1, "range"));
  if (step == 0) return TemplateError("range: the step is 0");
  std::vector<TemplateValue> items;
  for (std::int64_t at = begin; step > 0 ? at < end : at > end;) {
    if (static_cast<std::int64_t>(items.size()) == kTemplateRangeMax) {
      return TemplateError(absl::StrFormat("a range of more than %d", kTemplateRangeMax));
    }
    items.emplace_back(at);
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  return call.heap.List(items, TemplateList::Flavor::kRange);
}

// What namespace() and dict() begin with: the members of a mapping, or pairs.
absl::Status ReadMembers(const TemplateCall& call, std::vector<TemplateHeap::Member>& members) {
  if (call.args.size() > 1) return TemplateError("namespace and dict take one mapping");
  if (call.args.size() == 1) {
    const TemplateDict* dict = call.args[0].dict();
    if (dict == nullptr) return TemplateError("namespace and dict take a mapping");
    members.assign(dict->members.begin(), dict->members.end());
  }
  for (const auto& [name, value] : call.keywords) {
    const TemplateValue key = call.heap.TextView(name, true);
    const auto same = [&name = name](const TemplateHeap::Member& member) {
      return member.first.text() != nullptr && member.first.text()->bytes == name;
    };
    const auto found = std::find_if(members.begin(), members.end(), same);
    if (found != members.end()) {
      found->second = value;
    } else {
      members.emplace_back(key, value);
    }
  }
  return absl::OkStatus();
}

Result Namespace(const TemplateCall& call) {
  std::vector<TemplateHeap::Member> members;
  BATON_RETURN_IF_ERROR(ReadMembers(call, members));
  TemplateValue value = call.heap.Namespace();
  for (const auto& [key, member] : members) {
    if (key.text() == nullptr) return TemplateError("namespace: a key is no string");
    value.As<TemplateNamespace>()->Set(key.text()->bytes, member);
  }
  return value;
}

Result Dict(const TemplateCall& call) {
  std::vector<TemplateHeap::Member> members;
  BATON_RETURN_IF_ERROR(ReadMembers(call, members));
  return call.heap.Dict(members);
}

constexpr TemplateNative kFunctions[] = {
    {"dict", Dict, {}, 0, true},
    {"namespace", Namespace, {}, 0, true},
    {"raise_exception", RaiseException, {"message"}, 1},
    {"range", Range, {"start", "stop", "step"}, 1},
    {"strftime_now", StrftimeNow, {"format"}, 1},
};

template <std::size_t kCount>
const TemplateNative* FindIn(const TemplateNative (&table)[kCount], absl::string_view name) {
  for (const TemplateNative& native : table) {
    if (native.name == name) return &native;
  }
  return nullptr;
}

}  // namespace

const TemplateNative* FindTemplateTest(absl::string_view name) { return FindIn(kTests, name); }

const TemplateNative* FindTemplateFunction(absl::string_view name) {
  return FindIn(kFunctions, name);
}

}  // namespace baton
