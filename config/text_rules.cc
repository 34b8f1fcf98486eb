#include "config/text_rules.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace baton {
namespace {

constexpr int kPortMax = 65535;

bool IsDigits(absl::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

std::optional<int> ReadPort(absl::string_view text) {
  int port = 0;
  if (!IsDigits(text) || !absl::SimpleAtoi(text, &port) || port > kPortMax) return std::nullopt;
  return port;
}

}  // namespace

bool IsPort(absl::string_view text) { return ReadPort(text).has_value(); }

bool IsHost(absl::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool good = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' ||
                      c == '_' || c == ':' || c == '[' || c == ']';
    if (!good) return false;
  }
  const bool bracketed = text.front() == '[' && text.back() == ']';
  const auto colons = static_cast<std::size_t>(std::count(text.begin(), text.end(), ':'));
  return bracketed || colons != 1;  // one colon is a port's
}

bool IsAddress(absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return false;
  const absl::string_view host = text.substr(0, colon);
  const bool bare_ipv6 = absl::StrContains(host, ":") && host.front() != '[';
  return !bare_ipv6 && IsHost(host) && IsPort(text.substr(colon + 1));
}

bool IsWorkerUrl(absl::string_view text) {
  absl::ConsumePrefix(&text, "http://");
  absl::ConsumeSuffix(&text, "/");
  return IsAddress(text);
}

bool IsPortList(absl::string_view text) {
  if (text == "any") return true;
  if (text.empty()) return false;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(part, absl::MaxSplits('-', 1));
    const std::optional<int> first = ReadPort(ends.first);
    if (!first) return false;
    if (!absl::StrContains(part, "-")) continue;
    const std::optional<int> last = ReadPort(ends.second);
    if (!last || *last < *first) return false;
  }
  return true;
}

bool IsDevice(absl::string_view text) {
  if (text == "auto" || text == "cpu" || text == "cuda") return true;
  return absl::ConsumePrefix(&text, "cuda:") && IsDigits(text) && text.size() <= 3;
}

bool IsLoopback(absl::string_view host) {
  if (host == "localhost" || host == "::1" || host == "[::1]") return true;
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  for (absl::string_view part : parts) {
    int number = 0;
    if (!IsDigits(part) || !absl::SimpleAtoi(part, &number) || number > 255) return false;
  }
  return true;
}

absl::string_view HostOf(absl::string_view address) {
  absl::ConsumePrefix(&address, "http://");
  absl::ConsumeSuffix(&address, "/");
  return IsAddress(address) ? address.substr(0, address.rfind(':')) : address;
}

}  // namespace baton
