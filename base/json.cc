#include "base/json.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"

namespace baton {
namespace {

constexpr std::size_t kIndexFrom = 16;
constexpr std::size_t kKeyShownMax = 100;

/// Builds the tree from nlohmann's events; stops at the first thing that we refuse.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(std::span<const JsonTable> tables, const JsonLimits& limits)
      : tables_(tables), limits_(limits) {}

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(std::int64_t value) override { return Add(value); }
  bool number_unsigned(std::uint64_t value) override { return Add(value); }
  bool number_float(double value, const std::string&) override { return Add(value); }
  bool string(std::string& value) override { return Add(std::move(value)); }
  bool binary(nlohmann::json::binary_t&) override { return Refuse("binary data"); }
  bool start_object(std::size_t) override { return Open(JsonObject()); }
  bool start_array(std::size_t) override { return Open(JsonArray()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(std::string& key) override {
    if (std::get<JsonObject>(open_.back().container).Find(key) != nullptr) {
      return Refuse(limits_.errors_name_keys
                        ? absl::StrCat("an object names a key twice: ",
                                       absl::CHexEscape(key.substr(0, kKeyShownMax)))
                        : "an object names a key twice");
    }
    open_.back().key = std::move(key);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    error_position_ = position;
    return Refuse("it is not JSON");
  }

  JsonValue TakeRoot() { return std::move(root_); }
  const std::string& refusal() const { return refusal_; }
  const absl::Status& taken() const { return taken_; }
  std::size_t error_position() const { return error_position_; }

 private:
  struct Open_ {
    std::variant<JsonObject, JsonArray> container;
    const JsonTable* table = nullptr;  // set: its members are handed over
    std::size_t values_before = 0;     // of the whole tree, when this one began
    std::string key;                   // of the member whose value comes next
  };

  bool Refuse(std::string why) {
    if (refusal_.empty()) refusal_ = std::move(why);
    return false;
  }

  bool Open(std::variant<JsonObject, JsonArray> container) {
    if (static_cast<int>(open_.size()) >= limits_.depth_max)
      return Refuse("it is nested too deeply");
    open_.push_back({std::move(container), TableHere(), values_, {}});
    return true;
  }

  bool Close() {
    std::variant<JsonObject, JsonArray> container = std::move(open_.back().container);
    open_.pop_back();
    if (auto* object = std::get_if<JsonObject>(&container)) return Add(std::move(*object));
    return Add(std::move(std::get<JsonArray>(container)));
  }

  const JsonTable* TableHere() const {
    for (const JsonTable& table : tables_) {
      if (table.path.size() != open_.size()) continue;
      std::size_t same = 0;
      while (same < open_.size() && open_[same].key == table.path[same]) ++same;
      if (same == open_.size()) return &table;
    }
    return nullptr;
  }

  bool Take(Open_& parent, JsonValue value) {
    values_ = parent.values_before;  // what is handed over does not stay
    taken_ = parent.table->take(parent.key, std::move(value));
    return taken_.ok();
  }

  bool Add(JsonValue value) {
    if (++values_ > limits_.values_max) return Refuse("it holds too many values");
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Open_& parent = open_.back();
    if (parent.table != nullptr) return Take(parent, std::move(value));
    if (auto* array = std::get_if<JsonArray>(&parent.container)) {
      array->push_back(std::move(value));
    } else {
      std::get<JsonObject>(parent.container).Insert(std::move(parent.key), std::move(value));
    }
    return true;
  }

  const std::span<const JsonTable> tables_;
  const JsonLimits limits_;
  std::vector<Open_> open_;
  JsonValue root_;
  std::size_t values_ = 0;
  std::string refusal_;
  absl::Status taken_;
  std::size_t error_position_ = 0;
};

std::string PlaceOf(absl::string_view text, std::size_t position) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i + 1 < position && i < text.size(); ++i) {
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
  }
  return absl::StrFormat("line %d column %d", line, column);
}

void AppendDouble(double value, std::string& out) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  absl::string_view digits(buffer, static_cast<std::size_t>(end.ptr - buffer));
  out.append(digits.data(), digits.size());
  if (digits.find_first_of(".e") == absl::string_view::npos) out += ".0";
}

void Append(const JsonValue& value, std::string& out);

struct Appender {
  std::string& out;

  void operator()(std::nullptr_t) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(std::uint64_t value) const { out += std::to_string(value); }
  void operator()(double value) const { AppendDouble(value, out); }
  void operator()(const std::string& value) const { AppendJsonString(value, out); }
  void operator()(const JsonArray& array) const {
    out += '[';
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i > 0) out += ',';
      Append(array[i], out);
    }
    out += ']';
  }
  void operator()(const JsonObject& object) const {
    out += '{';
    for (std::size_t i = 0; i < object.size(); ++i) {
      if (i > 0) out += ',';
      AppendJsonString(object.members()[i].first, out);
      out += ':';
      Append(object.members()[i].second, out);
    }
    out += '}';
  }
};

void Append(const JsonValue& value, std::string& out) {
  std::visit(Appender{out}, value.storage());
}

}  // namespace

const JsonValue* JsonObject::Find(absl::string_view key) const {
  if (members_.size() > kIndexFrom) {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &members_[found->second].second;
  }
  for (const Member& member : members_) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

bool JsonObject::Insert(std::string key, JsonValue value) {
  if (Find(key) != nullptr) return false;
  members_.emplace_back(std::move(key), std::move(value));
  if (members_.size() == kIndexFrom + 1) {
    for (std::size_t i = 0; i < members_.size(); ++i) index_.emplace(members_[i].first, i);
  } else if (members_.size() > kIndexFrom) {
    index_.emplace(members_.back().first, members_.size() - 1);
  }
  return true;
}

JsonValue::JsonValue(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    storage_ = static_cast<std::int64_t>(value);
  } else {
    storage_ = value;
  }
}

bool JsonValue::AsInt(std::int64_t* value) const {
  if (const auto* number = std::get_if<std::int64_t>(&storage_)) {
    *value = *number;
    return true;
  }
  const auto* number = std::get_if<double>(&storage_);
  constexpr double kTwoTo53 = 9007199254740992.0;  // beyond it a double names no single integer
  if (number == nullptr || std::trunc(*number) != *number || std::abs(*number) > kTwoTo53) {
    return false;
  }
  *value = static_cast<std::int64_t>(*number);
  return true;
}

bool JsonValue::AsDouble(double* value) const {
  if (const auto* number = std::get_if<double>(&storage_)) {
    *value = *number;
  } else if (const auto* whole = std::get_if<std::int64_t>(&storage_)) {
    *value = static_cast<double>(*whole);
  } else if (const auto* large = std::get_if<std::uint64_t>(&storage_)) {
    *value = static_cast<double>(*large);
  } else {
    return false;
  }
  return true;
}

absl::string_view JsonValue::TypeName() const {
  static constexpr const char* kNames[] = {"null",   "boolean", "integer", "integer",
                                           "number", "string",  "array",   "object"};
  return kNames[storage_.index()];
}

absl::StatusOr<JsonValue> ParseJson(absl::string_view text, const JsonLimits& limits) {
  return ParseJsonTables(text, {}, limits);
}

absl::StatusOr<JsonValue> ParseJsonTables(absl::string_view text, std::span<const JsonTable> tables,
                                          const JsonLimits& limits) {
  TreeBuilder builder(tables, limits);
  const bool parsed = nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &builder);
  if (parsed) return builder.TakeRoot();
  if (!builder.taken().ok()) return builder.taken();
  if (builder.error_position() > 0) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "invalid JSON at %s: %s", PlaceOf(text, builder.error_position()), builder.refusal()));
  }
  return absl::InvalidArgumentError(absl::StrFormat("invalid JSON: %s", builder.refusal()));
}

std::string WriteJson(const JsonValue& value) {
  std::string out;
  Append(value, out);
  return out;
}

JsonObject MakeJson(std::initializer_list<std::pair<absl::string_view, JsonValue>> members) {
  JsonObject object;
  for (const auto& [key, value] : members) BATON_CHECK(object.Insert(std::string(key), value));
  return object;
}

void AppendJsonString(absl::string_view text, std::string& out) {
  out += '"';
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += absl::StrFormat("\\u%04x", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace baton
