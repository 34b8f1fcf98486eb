#include "server/text/split_pattern.h"

#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

// Steps of one match from one start; a prompt of 8 MiB in one run of letters needs none of them in
// machine code, and one a character in the interpreter.
constexpr std::uint32_t kMatchSteps = 20'000'000;
constexpr std::uint32_t kMatchHeapKib = 64 * 1024;  // of the interpreter
constexpr std::size_t kStackBytesFirst = 32 * 1024;
constexpr std::size_t kStackBytesMax = 1024 * 1024;  // of machine code

// One search looks at about so many characters at most: starts x what may follow each. At a
// nanosecond or two each the clock is read every few milliseconds.
constexpr std::size_t kSearchWork = 4 * 1024 * 1024;

PCRE2_SPTR BytesOf(absl::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

absl::Status TooSlow() {
  return absl::InvalidArgumentError(
      "splitting this text into words takes longer than the limit: it is too repetitive for the "
      "model's pattern; shorten it");
}

}  // namespace

struct SplitPattern::Code {
  explicit Code(pcre2_code* code) : handle(code) {}
  ~Code() { pcre2_code_free(handle); }
  pcre2_code* handle;
};

struct SplitPattern::Scratch::Handles {
  Handles()
      : match(pcre2_match_data_create(1, nullptr)),
        context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(kStackBytesFirst, kStackBytesMax, nullptr)) {
    BATON_CHECK(match != nullptr && context != nullptr && stack != nullptr);
    pcre2_set_match_limit(context, kMatchSteps);
    pcre2_set_heap_limit(context, kMatchHeapKib);
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~Handles() {
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
  }

  pcre2_match_data* match;
  pcre2_match_context* context;
  pcre2_jit_stack* stack;
};

SplitPattern::Scratch::Scratch() : handles_(std::make_unique<Handles>()) {}
SplitPattern::Scratch::~Scratch() = default;
SplitPattern::Scratch::Scratch(Scratch&&) noexcept = default;
SplitPattern::Scratch& SplitPattern::Scratch::operator=(Scratch&&) noexcept = default;

SplitPattern::SplitPattern(std::unique_ptr<Code> code)
    : code_(std::move(code)),
      is_machine_code_(pcre2_jit_compile(code_->handle, PCRE2_JIT_COMPLETE) == 0) {}
SplitPattern::~SplitPattern() = default;
SplitPattern::SplitPattern(SplitPattern&&) noexcept = default;
SplitPattern& SplitPattern::operator=(SplitPattern&&) noexcept = default;

absl::StatusOr<SplitPattern> SplitPattern::Compile(const std::string& pattern) {
  int error = 0;
  std::size_t offset = 0;
  constexpr std::uint32_t kOptions =
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  BATON_CHECK(context != nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  pcre2_code* code =
      pcre2_compile(BytesOf(pattern), pattern.size(), kOptions, &error, &offset, context);
  pcre2_compile_context_free(context);
  if (code != nullptr) return SplitPattern(std::make_unique<Code>(code));
  PCRE2_UCHAR message[256] = {};
  pcre2_get_error_message(error, message, sizeof(message));
  return absl::InvalidArgumentError(
      absl::StrFormat("pattern: %s", reinterpret_cast<const char*>(message)));
}

absl::StatusOr<std::optional<TextRange>> SplitPattern::Find(absl::string_view text,
                                                            std::size_t from,
                                                            Scratch& scratch) const {
  const Scratch::Handles& handles = *scratch.handles_;
  while (true) {
    const std::size_t left = text.size() - from;
    const std::size_t starts = kSearchWork / (left + 1) + 1;
    const bool last = starts >= left;
    if (scratch.work_ > kSearchWork) {
      scratch.work_ = 0;
      if (std::chrono::steady_clock::now() > scratch.deadline_) return TooSlow();
    }
    pcre2_set_offset_limit(handles.context, last ? PCRE2_UNSET : from + starts);
    const auto match = is_machine_code_ ? pcre2_jit_match : pcre2_match;
    const int found = match(code_->handle, BytesOf(text), text.size(), from, PCRE2_NO_UTF_CHECK,
                            handles.match, handles.context);
    if (found >= 0) {
      const std::size_t* place = pcre2_get_ovector_pointer(handles.match);
      scratch.work_ += (place[0] - from + 1) * (left + 1);
      return TextRange{place[0], place[1]};
    }
    if (found != PCRE2_ERROR_NOMATCH) return TooSlow();
    if (last) {
      scratch.work_ += left * left;
      return std::nullopt;
    }
    scratch.work_ += kSearchWork;
    from += starts + 1;
    while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
  }
}

absl::StatusOr<std::optional<TextRange>> SplitCursor::Next() {
  while (from_ <= text_.size()) {
    BATON_ASSIGN_OR_RETURN(const std::optional<TextRange> match,
                           pattern_.Find(text_, from_, scratch_));
    if (!match.has_value()) break;
    if (match->begin == match->end && last_end_ == match->end) {
      from_ += from_ < text_.size() ? CharacterAt(text_, from_).bytes : 1;
      continue;
    }
    from_ = match->end;
    last_end_ = match->end;
    return match;
  }
  return std::nullopt;
}

}  // namespace baton
