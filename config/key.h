// One row of the table of keys: what a knob is called, takes and means, and where it lands. The
// loader, the printed configuration, config/reference.md and the tests are all made from these
// rows, so a knob cannot exist for one of them and not for another.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "config/config.h"
#include "config/value.h"

namespace baton {

/// What Baton does with a key.
enum class Verdict {
  kAccept,  // it means what its help says
  kMap,     // it becomes another key's value (config/mapping.cc) and is then gone
  kIgnore,  // nothing here needs it; one line names all such keys
  kWarn,    // it does nothing; says so where it is not at its default
  kRefuse,  // start fails where it is not at its default: results or security would change
};

/// Whether this version reads the key. `kLater`: accepted and checked, and named in the start-up
/// line "no effect yet" where it is not at its default.
enum class Effect { kNow, kLater };

/// Where a value goes: a function from a Config to its field. Monostate: the value is checked and
/// printed, and no field holds it.
template <typename T>
using Field = T& (*)(Config&);
using Landing = std::variant<
    std::monostate, Field<bool>, Field<int>, Field<std::uint32_t>, Field<std::uint64_t>,
    Field<double>, Field<std::string>, Field<std::vector<std::string>>, Field<std::optional<bool>>,
    Field<std::map<std::string, ClassConfig>>, Field<std::map<std::string, std::int64_t>>,
    Field<std::map<std::string, std::string>>>;

/// `At<&Config::router, &RouterConfig::port>()`: the field at the end of that chain.
template <auto... kMembers>
constexpr Landing At() {
  return Landing(+[](Config & config) -> auto& { return (config.*....*kMembers); });
}

struct Key {
  absl::string_view path;  // "router.port"; flat keys have no dot
  ValueType type;
  absl::string_view default_text;  // YAML; "null" = nothing said
  absl::string_view help;          // one line; for kRefuse and kWarn: why, and what to do instead
  Landing landing = {};
  Effect effect = Effect::kNow;
  Verdict verdict = Verdict::kAccept;
  bool secret = false;  // its value stands in no message and no output
};

}  // namespace baton
