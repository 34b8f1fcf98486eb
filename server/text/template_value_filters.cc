// Filters on one value: texts, numbers, defaults, JSON.
#include <charconv>
#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/json.h"
#include "base/status.h"
#include "server/text/template_access.h"
#include "server/text/template_filters.h"
#include "server/text/template_from_json.h"
#include "server/text/template_letters.h"
#include "server/text/template_print.h"
#include "server/text/template_text_ops.h"

namespace baton {
namespace {

using Result = absl::StatusOr<TemplateValue>;

// Text filters print what they are given first, so that numbers have an upper case, too.
absl::StatusOr<const TemplateText*> Printed(const TemplateValue& value, TemplateHeap& heap) {
  BATON_ASSIGN_OR_RETURN(const TemplateValue text, PrintedText(value, heap));
  return text.text();
}

Result Cased(const TemplateCall& call, TemplateLetterCase letters) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* text, Printed(call.self(), call.heap));
  return WithCase(*text, letters, call.heap);
}
Result Upper(const TemplateCall& call) { return Cased(call, TemplateLetterCase::kUpper); }
Result Lower(const TemplateCall& call) { return Cased(call, TemplateLetterCase::kLower); }
Result Capitalize(const TemplateCall& call) {
  return Cased(call, TemplateLetterCase::kCapitalized);
}

Result Trim(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* text, Printed(call.self(), call.heap));
  return Stripped(*text, call.args[1], {true, true}, call.heap);
}

Result Replace(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* text, Printed(call.self(), call.heap));
  BATON_ASSIGN_OR_RETURN(const TemplateText* from, Printed(call.args[1], call.heap));
  BATON_ASSIGN_OR_RETURN(const TemplateText* to, Printed(call.args[2], call.heap));
  const TemplateValue given = call.args[3].none() ? TemplateValue() : call.args[3];
  BATON_ASSIGN_OR_RETURN(const std::int64_t count, NeedWhole(given, -1, "replace"));
  return Replaced(*text, *from, *to, count, call.heap);
}

Result String(const TemplateCall& call) { return PrintedText(call.self(), call.heap); }

Result Safe(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* text, Printed(call.self(), call.heap));
  TemplateText safe = *text;
  safe.safe = true;
  return TemplateValue(static_cast<const TemplateText*>(call.heap.New(safe)));
}

Result Default(const TemplateCall& call) {
  const bool falsy = !call.args[2].missing() && IsTrue(call.args[2]) && !IsTrue(call.self());
  if (call.self().undefined() == nullptr && !falsy) return call.self();
  return call.args[1].missing() ? call.heap.TextView("", true) : call.args[1];
}

Result Length(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const std::int64_t length, LengthOf(call.self(), call.heap));
  return TemplateValue(length);
}

absl::StatusOr<TemplateValue> IndentionOf(const TemplateValue& width, TemplateHeap& heap) {
  if (width.text() != nullptr) return width;
  BATON_ASSIGN_OR_RETURN(const std::int64_t spaces, NeedWhole(width, 4, "indent"));
  if (spaces > static_cast<std::int64_t>(kTemplateOutputBytesMax)) {
    return absl::ResourceExhaustedError("indent: too wide");
  }
  std::string indention;
  indention.resize(static_cast<std::size_t>(std::max<std::int64_t>(spaces, 0)), ' ');
  return heap.Text(indention, true);
}

// Every line but the first gets the indention; empty ones only when `blank`.
Result Indent(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* text, NeedText(call.self(), "indent"));
  BATON_ASSIGN_OR_RETURN(const TemplateValue indention, IndentionOf(call.args[1], call.heap));
  const bool first = !call.args[2].missing() && IsTrue(call.args[2]);
  const bool blank = !call.args[3].missing() && IsTrue(call.args[3]);
  TemplateTextBuilder whole = NewTextBuilder();
  whole.Append(*text);
  whole.Append("\n", true);  // a last newline is a line of its own
  BATON_ASSIGN_OR_RETURN(const TemplateValue ended, call.heap.Text(whole));
  BATON_ASSIGN_OR_RETURN(const TemplateValue lines, Lines(*ended.text(), call.heap));
  TemplateTextBuilder out = NewTextBuilder();
  if (first) out.Append(*indention.text());
  const auto& items = lines.list()->items;
  for (std::size_t i = 0; i < items.size() && !out.overflowed(); ++i) {
    if (i > 0) out.Append("\n", true);
    if (i > 0 && (blank || !items[i].text()->bytes.empty())) out.Append(*indention.text());
    out.Append(*items[i].text());
  }
  return call.heap.Text(out);
}

// What Python's int() and float() read: white space around, a sign, underscores between digits.
bool CleanNumber(absl::string_view text, std::string& clean) {
  text = StripRight(StripLeft(text));
  if (absl::StartsWith(text, "+")) text.remove_prefix(1);
  if (text.empty() || text[0] == '+') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (text[i] != '_') {
      clean += text[i];
      continue;
    }
    const bool inside = i > 0 && i + 1 < text.size() && text[i - 1] >= '0' && text[i - 1] <= '9' &&
                        text[i + 1] >= '0' && text[i + 1] <= '9';
    if (!inside || digit) return false;
  }
  return true;
}

bool ReadReal(absl::string_view text, double* real) {
  std::string clean;
  if (!CleanNumber(text, clean)) return false;
  if (clean.find_first_of("xXpP") != std::string::npos) return false;
  const char* end = clean.data() + clean.size();
  const auto read = std::from_chars(clean.data(), end, *real);
  if (read.ptr != end || read.ec == std::errc::invalid_argument) return false;
  if (read.ec == std::errc::result_out_of_range) {
    *real = clean.find("e-") != std::string::npos || clean.find("E-") != std::string::npos
                ? 0.0
                : std::numeric_limits<double>::infinity();
    if (clean[0] == '-') *real = -*real;
  }
  return true;
}

// Digits of other scripts are numbers to Python and none here: an error rather than another answer.
absl::Status CheckDigits(absl::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return TemplateError("a number in other than ASCII characters is not supported");
    }
  }
  return absl::OkStatus();
}

Result WholeOf(double real) {
  if (std::isnan(real) || std::abs(real) >= 9223372036854775808.0) {
    return TemplateError("an integer beyond 64 bits");
  }
  return TemplateValue(static_cast<std::int64_t>(real));
}

Result Int(const TemplateCall& call) {
  const TemplateValue& value = call.self();
  const TemplateValue fallback =
      call.args[1].missing() ? TemplateValue(std::int64_t{0}) : call.args[1];
  std::int64_t whole = 0;
  if (value.undefined() != nullptr) return UndefinedError(*value.undefined());
  if (AsWhole(value, &whole)) return TemplateValue(whole);
  if (value.Is<std::uint64_t>()) return value;
  if (const auto* real = std::get_if<double>(&value.storage)) return WholeOf(*real);
  if (value.text() == nullptr) return fallback;
  BATON_RETURN_IF_ERROR(CheckDigits(value.text()->bytes));
  std::string clean;
  if (!CleanNumber(value.text()->bytes, clean)) return fallback;
  const char* end = clean.data() + clean.size();
  const auto read = std::from_chars(clean.data(), end, whole);
  if (read.ptr == end && read.ec == std::errc()) return TemplateValue(whole);
  if (read.ptr == end && read.ec == std::errc::result_out_of_range) {
    return TemplateError("an integer beyond 64 bits");
  }
  double real = 0;
  if (!ReadReal(value.text()->bytes, &real) || !std::isfinite(real)) return fallback;
  return WholeOf(real);
}

Result Float(const TemplateCall& call) {
  const TemplateValue& value = call.self();
  double real = 0;
  if (value.undefined() != nullptr) return UndefinedError(*value.undefined());
  if (AsReal(value, &real)) return TemplateValue(real);
  if (value.text() != nullptr) {
    BATON_RETURN_IF_ERROR(CheckDigits(value.text()->bytes));
    if (ReadReal(value.text()->bytes, &real)) return TemplateValue(real);
  }
  return call.args[1].missing() ? TemplateValue(0.0) : call.args[1];
}

Result Abs(const TemplateCall& call) {
  const TemplateValue& value = call.self();
  std::int64_t whole = 0;
  if (const auto* real = std::get_if<double>(&value.storage)) return TemplateValue(std::abs(*real));
  if (!AsWhole(value, &whole) || whole == std::numeric_limits<std::int64_t>::min()) {
    return TemplateError(absl::StrFormat("abs does not work on %s", TypeNameOf(value)));
  }
  return TemplateValue(whole < 0 ? -whole : whole);
}

absl::Status ReadSeparators(const TemplateValue& given, TemplateJsonStyle& style) {
  if (given.missing() || given.none()) return absl::OkStatus();
  const TemplateList* list = given.list();
  if (list == nullptr || list->items.size() != 2) {
    return TemplateError("tojson: separators are two strings");
  }
  BATON_ASSIGN_OR_RETURN(const TemplateText* items, NeedText(list->items[0], "tojson"));
  BATON_ASSIGN_OR_RETURN(const TemplateText* keys, NeedText(list->items[1], "tojson"));
  style.item_separator = std::string(items->bytes);
  style.key_separator = std::string(keys->bytes);
  return absl::OkStatus();
}

Result ToJson(const TemplateCall& call) {
  TemplateJsonStyle style;
  const auto flag = [&call](std::size_t i) {
    return !call.args[i].missing() && IsTrue(call.args[i]);
  };
  style.ascii = flag(1);
  style.sorted = flag(4);
  const TemplateValue& indent = call.args[2];
  if (!indent.missing() && !indent.none()) {
    BATON_ASSIGN_OR_RETURN(const TemplateValue text, IndentionOf(indent, call.heap));
    style.pretty = true;
    style.indent = std::string(text.text()->bytes);
    style.item_separator.assign(1, ',');
  }
  BATON_RETURN_IF_ERROR(ReadSeparators(call.args[3], style));
  return JsonText(call.self(), style, call.heap);
}

Result FromJson(const TemplateCall& call) {
  BATON_ASSIGN_OR_RETURN(const TemplateText* text, NeedText(call.self(), "from_json"));
  BATON_RETURN_IF_ERROR(call.heap.SpendBytes(text->bytes.size() * 16));
  const absl::StatusOr<JsonValue> json = ParseJson(text->bytes);
  if (!json.ok()) return TemplateError("from_json: the text is not JSON");
  return CopiedFromJson(*json, text->all_trusted(), call.heap);
}

constexpr TemplateNative kFilters[] = {
    {"abs", Abs},
    {"capitalize", Capitalize},
    {"count", Length},
    {"d", Default, {"default_value", "boolean"}},
    {"default", Default, {"default_value", "boolean"}},
    {"float", Float, {"default"}},
    {"from_json", FromJson},
    {"indent", Indent, {"width", "first", "blank"}},
    {"int", Int, {"default"}},
    {"length", Length},
    {"lower", Lower},
    {"replace", Replace, {"old", "new", "count"}, 2},
    {"safe", Safe},
    {"string", String},
    {"tojson", ToJson, {"ensure_ascii", "indent", "separators", "sort_keys"}},
    {"trim", Trim, {"chars"}},
    {"upper", Upper},
};

}  // namespace

absl::Span<const TemplateNative> TemplateValueFilters() { return kFilters; }

const TemplateNative* FindTemplateFilter(absl::string_view name) {
  for (const auto& table : {TemplateValueFilters(), TemplateSequenceFilters()}) {
    for (const TemplateNative& native : table) {
      if (native.name == name) return &native;
    }
  }
  return nullptr;
}

}  // namespace baton
