#include "server/text/template_operators.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_access.h"
#include "server/text/template_native.h"

namespace baton {
namespace {

using Op = TemplateOperator;
using Result = absl::StatusOr<TemplateValue>;

constexpr std::int64_t kComparedAPart = 4;  // values looked at

absl::Status NoOperator(absl::string_view what, const TemplateValue& a, const TemplateValue& b) {
  if (a.undefined() != nullptr) return UndefinedError(*a.undefined());
  if (b.undefined() != nullptr) return UndefinedError(*b.undefined());
  return TemplateError(
      absl::StrFormat("'%s' does not work on %s and %s", what, TypeNameOf(a), TypeNameOf(b)));
}

absl::Status TooLarge() { return TemplateError("an integer beyond 64 bits"); }

Result FloorDivide(Op op, std::int64_t a, std::int64_t b) {
  if (b == 0) return TemplateError("division by zero");
  if (b == -1) {  // the one quotient that may not fit
    std::int64_t negated = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, a, &negated)) return TooLarge();
    return TemplateValue(op == Op::kModulo ? std::int64_t{0} : negated);
  }
  std::int64_t quotient = a / b;
  std::int64_t rest = a % b;
  if (rest != 0 && (rest < 0) != (b < 0)) {  // Python rounds down
    --quotient;
    rest += b;
  }
  return TemplateValue(op == Op::kModulo ? rest : quotient);
}

Result PowerOf(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) return TemplateError("0 to a negative power");
    return TemplateValue(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return TooLarge();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return TooLarge();
  }
  return TemplateValue(result);
}

Result ComputeWhole(Op op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case Op::kAdd:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case Op::kSubtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case Op::kMultiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case Op::kFloorDivide:
    case Op::kModulo:
      return FloorDivide(op, a, b);
    case Op::kPower:
      return PowerOf(a, b);
    default:
      if (b == 0) return TemplateError("division by zero");
      return TemplateValue(static_cast<double>(a) / static_cast<double>(b));
  }
  if (overflow) return TooLarge();
  return TemplateValue(result);
}

Result ComputeReal(Op op, double a, double b) {
  const bool divides = op == Op::kDivide || op == Op::kFloorDivide || op == Op::kModulo;
  if (divides && b == 0) return TemplateError("division by zero");
  switch (op) {
    case Op::kAdd:
      return TemplateValue(a + b);
    case Op::kSubtract:
      return TemplateValue(a - b);
    case Op::kMultiply:
      return TemplateValue(a * b);
    case Op::kDivide:
      return TemplateValue(a / b);
    case Op::kPower:
      if (a < 0 && b != std::trunc(b)) return TemplateError("a root of a negative number");
      if (a == 0 && b < 0) return TemplateError("0 to a negative power");
      return TemplateValue(std::pow(a, b));
    default:
      break;
  }
  double rest = std::fmod(a, b);
  const double quotient = (a - rest) / b;
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  if (op == Op::kModulo) return TemplateValue(rest == 0 ? std::copysign(0.0, b) : rest);
  const double down =
      std::fmod(a, b) != 0 && (std::fmod(a, b) < 0) != (b < 0) ? quotient - 1 : quotient;
  return TemplateValue(down == 0 ? std::copysign(0.0, a / b) : std::round(down));
}

Result Join(const TemplateText& a, const TemplateText& b, TemplateHeap& heap) {
  if (a.safe || b.safe) return TemplateError("'+' on what 'safe' returned: use '~'");
  BATON_RETURN_IF_ERROR(heap.SpendBytes(a.bytes.size() + b.bytes.size()));
  TemplateTextBuilder out = NewTextBuilder();
  out.Append(a);
  out.Append(b);
  return heap.Text(out);
}

Result Join(const TemplateList& a, const TemplateList& b, TemplateHeap& heap) {
  const std::size_t count = a.items.size() + b.items.size();
  BATON_RETURN_IF_ERROR(heap.SpendBytes(count * sizeof(TemplateValue)));
  std::vector<TemplateValue> items(a.items.begin(), a.items.end());
  items.insert(items.end(), b.items.begin(), b.items.end());
  return heap.List(items, a.flavor);
}

Result Repeat(const TemplateValue& value, std::int64_t times, TemplateHeap& heap) {
  const TemplateText* text = value.text();
  const TemplateList* list = value.list();
  const std::size_t unit =
      text != nullptr ? text->bytes.size() : list->items.size() * sizeof(TemplateValue);
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(times, 0));
  if (unit > 0 && count > kTemplateHeapBytesMax / unit) {
    return absl::ResourceExhaustedError("a text or list repeated too often");
  }
  BATON_RETURN_IF_ERROR(heap.SpendBytes(unit * count));
  if (text != nullptr) {
    TemplateTextBuilder out = NewTextBuilder();
    for (std::size_t i = 0; i < count && !text->bytes.empty() && !out.overflowed(); ++i) {
      out.Append(*text);
    }
    return heap.Text(out);
  }
  std::vector<TemplateValue> items;
  for (std::size_t i = 0; i < count && unit > 0; ++i) {
    items.insert(items.end(), list->items.begin(), list->items.end());
  }
  return heap.List(items, list->flavor);
}

bool CanRepeat(const TemplateValue& value) {
  return value.text() != nullptr ||
         (value.list() != nullptr && value.list()->flavor <= TemplateList::Flavor::kTuple);
}

Result ComputeSequence(Op op, const TemplateValue& a, const TemplateValue& b, TemplateHeap& heap) {
  std::int64_t times = 0;
  if (op == Op::kAdd && a.text() != nullptr && b.text() != nullptr) {
    return Join(*a.text(), *b.text(), heap);
  }
  if (op == Op::kAdd && CanRepeat(a) && CanRepeat(b) && a.list() != nullptr &&
      b.list() != nullptr && a.list()->flavor == b.list()->flavor) {
    return Join(*a.list(), *b.list(), heap);
  }
  if (op == Op::kMultiply && CanRepeat(a) && AsWhole(b, &times)) return Repeat(a, times, heap);
  if (op == Op::kMultiply && CanRepeat(b) && AsWhole(a, &times)) return Repeat(b, times, heap);
  static constexpr const char* kSpellings[] = {"+", "-", "*", "/", "//", "%", "**"};
  return NoOperator(kSpellings[static_cast<int>(op)], a, b);
}

absl::StatusOr<bool> IsIn(const TemplateValue& item, const TemplateValue& where,
                          TemplateHeap& heap) {
  if (const TemplateText* text = where.text()) {
    if (item.text() == nullptr) return NoOperator("in", item, where);
    BATON_RETURN_IF_ERROR(heap.SpendBytes(text->bytes.size()));
    return text->bytes.find(item.text()->bytes) != absl::string_view::npos;
  }
  if (const TemplateDict* dict = where.dict()) {
    if (item.list() != nullptr || item.dict() != nullptr) return NoOperator("in", item, where);
    BATON_RETURN_IF_ERROR(heap.Spend(static_cast<std::int64_t>(dict->members.size() / 8)));
    return dict->Find(item) != nullptr;
  }
  absl::StatusOr<absl::Span<const TemplateValue>> items = ItemsOf(where, heap);
  if (!items.ok()) return NoOperator("in", item, where);
  std::int64_t work = 0;
  bool found = false;
  for (std::size_t i = 0; i < items->size() && !found; ++i) {
    found = AreEqual(item, (*items)[i], work);
  }
  BATON_RETURN_IF_ERROR(heap.Spend(work / kComparedAPart));
  return found;
}

}  // namespace

Result Compute(Op op, const TemplateValue& a, const TemplateValue& b, TemplateHeap& heap) {
  std::int64_t x = 0;
  std::int64_t y = 0;
  if (AsWhole(a, &x) && AsWhole(b, &y)) return ComputeWhole(op, x, y);
  double p = 0;
  double q = 0;
  if (!AsReal(a, &p) || !AsReal(b, &q)) return ComputeSequence(op, a, b, heap);
  if (a.Is<std::uint64_t>() || b.Is<std::uint64_t>()) return TooLarge();
  return ComputeReal(op, p, q);
}

absl::StatusOr<int> Order(const TemplateValue& a, const TemplateValue& b, TemplateHeap& heap,
                          int depth) {
  BATON_RETURN_IF_ERROR(heap.Spend(1));
  std::int64_t x = 0;
  std::int64_t y = 0;
  if (AsWhole(a, &x) && AsWhole(b, &y)) return x < y ? -1 : x > y ? 1 : 0;
  double p = 0;
  double q = 0;
  if (AsReal(a, &p) && AsReal(b, &q)) return p < q ? -1 : p > q ? 1 : 0;
  if (a.text() != nullptr && b.text() != nullptr) {
    BATON_RETURN_IF_ERROR(
        heap.SpendBytes(std::min(a.text()->bytes.size(), b.text()->bytes.size())));
    return a.text()->bytes.compare(b.text()->bytes);
  }
  const bool lists = CanRepeat(a) && CanRepeat(b) && a.list() != nullptr && b.list() != nullptr &&
                     a.list()->flavor == b.list()->flavor;
  if (!lists || depth > kTemplateValueDepthMax) return NoOperator("<", a, b);
  const auto& left = a.list()->items;
  const auto& right = b.list()->items;
  std::int64_t work = 0;
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (!AreEqual(left[i], right[i], work)) return Order(left[i], right[i], heap, depth + 1);
  }
  BATON_RETURN_IF_ERROR(heap.Spend(work / kComparedAPart));
  return left.size() < right.size() ? -1 : left.size() > right.size() ? 1 : 0;
}

absl::StatusOr<bool> Compare(Op op, const TemplateValue& a, const TemplateValue& b,
                             TemplateHeap& heap) {
  if (op == Op::kEqual || op == Op::kNotEqual) {
    std::int64_t work = 0;
    const bool equal = AreEqual(a, b, work);
    BATON_RETURN_IF_ERROR(heap.Spend(work / kComparedAPart));
    return equal == (op == Op::kEqual);
  }
  if (op == Op::kIn || op == Op::kNotIn) {
    BATON_ASSIGN_OR_RETURN(const bool found, IsIn(a, b, heap));
    return found == (op == Op::kIn);
  }
  BATON_ASSIGN_OR_RETURN(const int order, Order(a, b, heap));
  double p = 0;
  double q = 0;
  const bool unordered = AsReal(a, &p) && AsReal(b, &q) && (std::isnan(p) || std::isnan(q));
  if (unordered) return false;
  if (op == Op::kLess) return order < 0;
  if (op == Op::kLessEqual) return order <= 0;
  return op == Op::kGreater ? order > 0 : order >= 0;
}

Result Negated(const TemplateValue& value) {
  if (const auto* real = std::get_if<double>(&value.storage)) return TemplateValue(-*real);
  std::int64_t whole = 0;
  if (!AsWhole(value, &whole)) return NoOperator("-", value, value);
  if (__builtin_sub_overflow(std::int64_t{0}, whole, &whole)) return TooLarge();
  return TemplateValue(whole);
}

Result Plus(const TemplateValue& value) {
  std::int64_t whole = 0;
  if (AsWhole(value, &whole)) return TemplateValue(whole);
  if (!IsNumber(value)) return NoOperator("+", value, value);
  return value;
}

}  // namespace baton
