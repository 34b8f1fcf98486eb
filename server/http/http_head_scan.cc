#include "server/http/http_head_scan.h"

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace baton {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

HeadScan Refused(int status, const char* message) {
  return {HeadScan::Verdict::kRefused, 0, status, message};
}

// RFC 9110 5.6.2: the characters of a field name.
bool IsTokenCharacter(unsigned char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter ||
         std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

bool IsTokenText(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!IsTokenCharacter(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

// Blanks and tabs may stand in a value; any other control byte may not (a bare CR and NUL too).
bool HasControlByte(std::string_view line) {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return true;
  }
  return false;
}

std::string_view Trimmed(std::string_view value) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

bool IsDigits(std::string_view value) {
  return !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
}

/// What decides where the body ends, gathered over the lines.
struct Framing {
  int lengths = 0;
  int encodings = 0;
  int hosts = 0;

  /// Null when the line is fine.
  const char* Take(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return "a header line has no colon";
    const std::string_view name = line.substr(0, colon);
    if (!IsTokenText(name)) return "a header name holds a character that is not allowed there";
    const std::string_view value = Trimmed(line.substr(colon + 1));
    if (absl::EqualsIgnoreCase(View(name), "content-length")) {
      ++lengths;
      if (!IsDigits(value)) return "Content-Length must be one whole number";
    }
    if (absl::EqualsIgnoreCase(View(name), "transfer-encoding")) {
      ++encodings;
      if (!absl::EqualsIgnoreCase(View(value), "chunked")) {
        return "the only Transfer-Encoding understood is chunked";
      }
    }
    if (absl::EqualsIgnoreCase(View(name), "host")) ++hosts;
    if (lengths > 1 || encodings > 1) return "the body's length is stated twice";
    if (lengths + encodings > 1) return "send Content-Length or Transfer-Encoding, not both";
    if (hosts > 1) return "Host is stated twice";
    return nullptr;
  }
};

// With no line end in sight: is what has come already too much?
HeadScan Unfinished(std::size_t line_bytes, std::size_t head_bytes, bool first,
                    const HttpLimits& limits) {
  if (first && line_bytes > limits.request_line_bytes_max) {
    return Refused(414, "the request line is too long");
  }
  if (head_bytes > limits.head_bytes_max) return Refused(431, "the request's head is too large");
  return {};
}

}  // namespace

HeadScan ScanHead(std::string_view bytes, const HttpLimits& limits) {
  Framing framing;
  std::size_t begin = 0;
  for (int line_number = 0;; ++line_number) {
    const bool first = line_number == 0;
    const std::size_t line_feed = bytes.find('\n', begin);
    const std::size_t end = line_feed == std::string_view::npos ? bytes.size() : line_feed + 1;
    const HeadScan so_far = Unfinished(end - begin, end, first, limits);
    if (so_far.verdict == HeadScan::Verdict::kRefused) return so_far;
    if (line_feed == std::string_view::npos) return {};
    if (line_feed == begin || bytes[line_feed - 1] != '\r') {
      return Refused(400, "a line of the head does not end in CR LF");
    }
    const std::string_view line = bytes.substr(begin, line_feed - 1 - begin);
    begin = end;
    if (HasControlByte(line)) return Refused(400, "the head holds a control byte");
    if (first) {
      if (line.empty()) return Refused(400, "the request begins with an empty line");
      continue;
    }
    if (line.empty()) return {HeadScan::Verdict::kComplete, begin, 0, ""};
    if (line_number > limits.head_fields_max) return Refused(431, "too many header fields");
    if (line.front() == ' ' || line.front() == '\t') {
      return Refused(400, "folded header lines are not taken");
    }
    if (const char* why = framing.Take(line)) return Refused(400, why);
  }
}

}  // namespace baton
