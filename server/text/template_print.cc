#include "server/text/template_print.h"

#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_letters.h"
#include "server/text/template_native.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

// How often the size of what was written so far is held against the limits.
constexpr std::int64_t kValueParts = 2;

void AppendEscaped(char32_t code, std::string& out) {
  if (code < 0x100) {
    absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned>(code));
  } else if (code < 0x10000) {
    absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(code));
  } else {
    absl::StrAppendFormat(&out, "\\U%08x", static_cast<unsigned>(code));
  }
}

void AppendQuoted(absl::string_view text, std::string& out) {
  const bool has_single = text.find('\'') != absl::string_view::npos;
  const bool has_double = text.find('"') != absl::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out += quote;
  for (std::size_t at = 0; at < text.size(); at += CharacterBytes(text[at])) {
    const char32_t code = CharacterAt(text, at).code;
    if (code == '\n') {
      out += "\\n";
    } else if (code == '\r') {
      out += "\\r";
    } else if (code == '\t') {
      out += "\\t";
    } else if (code == '\\' || code == static_cast<char32_t>(quote)) {
      out += '\\';
      out += static_cast<char>(code);
    } else if (IsPrintable(code)) {
      AppendUtf8(code, out);
    } else {
      AppendEscaped(code, out);
    }
  }
  out += quote;
}

// Numbers, booleans and none, which print alike everywhere; false for other values.
bool AppendScalar(const TemplateValue& value, std::string& out) {
  if (value.none()) {
    out += "None";
  } else if (const bool* flag = std::get_if<bool>(&value.storage)) {
    out += *flag ? "True" : "False";
  } else if (const auto* whole = std::get_if<std::int64_t>(&value.storage)) {
    absl::StrAppend(&out, *whole);
  } else if (const auto* large = std::get_if<std::uint64_t>(&value.storage)) {
    absl::StrAppend(&out, *large);
  } else if (const auto* real = std::get_if<double>(&value.storage)) {
    out += ReprOf(*real);
  } else {
    return false;
  }
  return true;
}

/// repr(), into a plain string whose size is watched.
class ReprWriter {
 public:
  explicit ReprWriter(TemplateHeap& heap) : heap_(heap) {}

  absl::Status Append(const TemplateValue& value, int depth) {
    BATON_RETURN_IF_ERROR(heap_.Spend(kValueParts));
    if (depth > kTemplateValueDepthMax) return TemplateError("a value nested too deep to print");
    if (out_.size() > kTemplateOutputBytesMax) {
      return absl::ResourceExhaustedError("a printed value is too large");
    }
    if (AppendScalar(value, out_)) return absl::OkStatus();
    if (value.text() != nullptr) {
      if (value.text()->safe)
        return TemplateError("what 'safe' returned, printed in a list or dict");
      BATON_RETURN_IF_ERROR(heap_.SpendBytes(value.text()->bytes.size()));
      AppendQuoted(value.text()->bytes, out_);
      return absl::OkStatus();
    }
    if (value.undefined() != nullptr) {
      out_ += "Undefined";
      return absl::OkStatus();
    }
    if (value.list() != nullptr) return AppendList(*value.list(), depth + 1);
    if (value.dict() != nullptr) return AppendDict(*value.dict(), depth + 1);
    if (auto* space = value.As<TemplateNamespace>()) return AppendNamespace(*space, depth + 1);
    return TemplateError(absl::StrFormat("a %s cannot be printed", TypeNameOf(value)));
  }

  std::string Take() { return std::move(out_); }

 private:
  absl::Status AppendList(const TemplateList& list, int depth) {
    using Flavor = TemplateList::Flavor;
    if (list.flavor == Flavor::kRange) return TemplateError("a range cannot be printed");
    const bool tuple = list.flavor == Flavor::kTuple;
    const bool view = list.flavor >= Flavor::kKeys;
    if (view) absl::StrAppend(&out_, TypeNameOf(&list), "(");
    out_ += tuple ? '(' : '[';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_ += ", ";
      BATON_RETURN_IF_ERROR(Append(list.items[i], depth));
    }
    if (tuple && list.items.size() == 1) out_ += ',';
    out_ += tuple ? ')' : ']';
    if (view) out_ += ')';
    return absl::OkStatus();
  }

  absl::Status AppendDict(const TemplateDict& dict, int depth) {
    out_ += '{';
    for (std::size_t i = 0; i < dict.members.size(); ++i) {
      if (i > 0) out_ += ", ";
      BATON_RETURN_IF_ERROR(Append(dict.members[i].first, depth));
      out_ += ": ";
      BATON_RETURN_IF_ERROR(Append(dict.members[i].second, depth));
    }
    out_ += '}';
    return absl::OkStatus();
  }

  absl::Status AppendNamespace(const TemplateNamespace& space, int depth) {
    out_ += "<Namespace {";
    for (std::size_t i = 0; i < space.members.size(); ++i) {
      if (i > 0) out_ += ", ";
      AppendQuoted(space.members[i].first, out_);
      out_ += ": ";
      BATON_RETURN_IF_ERROR(Append(space.members[i].second, depth));
    }
    out_ += "}>";
    return absl::OkStatus();
  }

  TemplateHeap& heap_;
  std::string out_;
};

}  // namespace

std::string ReprOf(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const absl::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  const std::size_t e = text.find('e');
  int exponent = 0;
  const std::size_t digits = text[e + 1] == '+' ? e + 2 : e + 1;
  std::from_chars(text.data() + digits, text.data() + text.size(), exponent);
  std::string out;
  if (exponent < -4 || exponent >= 16) {
    absl::StrAppend(&out, text.substr(0, e), "e", exponent < 0 ? "-" : "+",
                    absl::StrFormat("%02d", std::abs(exponent)));
    return out;
  }
  const auto fixed =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed);
  out.assign(buffer, fixed.ptr);
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

bool IsTrusted(const TemplateValue& value, int depth) {
  if (depth > kTemplateValueDepthMax) return false;
  if (value.text() != nullptr) return value.text()->all_trusted() || value.text()->bytes.empty();
  if (value.list() != nullptr) {
    for (const TemplateValue& item : value.list()->items) {
      if (!IsTrusted(item, depth + 1)) return false;
    }
  }
  if (value.dict() != nullptr) {
    for (const auto& [key, item] : value.dict()->members) {
      if (!IsTrusted(key, depth + 1) || !IsTrusted(item, depth + 1)) return false;
    }
  }
  return value.As<TemplateNamespace>() == nullptr;
}

absl::Status AppendPrinted(const TemplateValue& value, TemplateHeap& heap,
                           TemplateTextBuilder& out) {
  if (const TemplateText* text = value.text()) {
    BATON_RETURN_IF_ERROR(heap.SpendBytes(text->bytes.size()));
    out.Append(*text);
    return absl::OkStatus();
  }
  if (value.missing() || value.undefined() != nullptr) return absl::OkStatus();
  std::string scalar;
  if (AppendScalar(value, scalar)) {
    out.Append(scalar, true);
    return absl::OkStatus();
  }
  ReprWriter writer(heap);
  BATON_RETURN_IF_ERROR(writer.Append(value, 0));
  out.Append(writer.Take(), IsTrusted(value));
  return absl::OkStatus();
}

absl::StatusOr<TemplateValue> PrintedText(const TemplateValue& value, TemplateHeap& heap) {
  if (value.text() != nullptr) return value;
  TemplateTextBuilder out = NewTextBuilder();
  BATON_RETURN_IF_ERROR(AppendPrinted(value, heap, out));
  return heap.Text(out);
}

}  // namespace baton
