#include "server/text/template_heap.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_format.h"

namespace baton {
namespace {

constexpr std::int64_t kBytesAStep = 1024;
constexpr std::int64_t kNamespaceBytes = 128;  // about, and of a member

}  // namespace

absl::Status TemplateHeap::Spend(std::int64_t parts) {
  parts_left_ -= parts;
  return Check();
}

absl::Status TemplateHeap::SpendBytes(std::size_t bytes) {
  if (bytes > kTemplateHeapBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("the template builds a value of over %d bytes", kTemplateHeapBytesMax));
  }
  return Spend(static_cast<std::int64_t>(bytes) * kTemplateStepParts / kBytesAStep);
}

absl::Status TemplateHeap::Check() const {
  if (parts_left_ >= 0 && bytes_left_ >= 0) return absl::OkStatus();
  if (bytes_left_ < 0) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("the template needs more than %d bytes of memory for this conversation",
                        kTemplateHeapBytesMax));
  }
  return absl::ResourceExhaustedError(absl::StrFormat(
      "the template takes more than %d steps for this conversation", kTemplateStepsMax));
}

void* TemplateHeap::Allocate(std::size_t bytes, std::size_t alignment) {
  bytes_left_ -= static_cast<std::int64_t>(bytes);
  parts_left_ -= static_cast<std::int64_t>(bytes) * kTemplateStepParts / kBytesAStep;
  return memory_.allocate(bytes, alignment);
}

TemplateValue TemplateHeap::TextView(absl::string_view bytes, bool trusted) {
  return static_cast<const TemplateText*>(New(TemplateText{bytes, trusted, {}, false}));
}

TemplateValue TemplateHeap::Text(absl::string_view bytes, bool trusted) {
  const absl::Span<char> kept = Keep(absl::Span<const char>(bytes.data(), bytes.size()));
  return TextView({kept.data(), kept.size()}, trusted);
}

absl::StatusOr<TemplateValue> TemplateHeap::Text(const TemplateTextBuilder& built) {
  if (built.overflowed()) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("the template builds a text of over %d bytes", kTemplateOutputBytesMax));
  }
  const absl::Span<char> kept = Keep(absl::Span<const char>(built.bytes()));
  const auto borders = Keep(absl::Span<const std::uint32_t>(built.borders()));
  if (absl::Status spent = Check(); !spent.ok()) return spent;
  const TemplateText text{{kept.data(), kept.size()}, built.trusted(), borders, false};
  return TemplateValue(static_cast<const TemplateText*>(New(text)));
}

TemplateValue TemplateHeap::Slice(const TemplateText& text, std::size_t begin, std::size_t end) {
  const TemplateText all{text.bytes.substr(begin, end - begin), text.TrustedAt(begin), {}, false};
  TemplateText* slice = New(all);
  const auto first = std::upper_bound(text.borders.begin(), text.borders.end(), begin);
  const auto last = std::lower_bound(first, text.borders.end(), end);
  if (first == last) return static_cast<const TemplateText*>(slice);
  const absl::Span<std::uint32_t> borders =
      Keep(absl::Span<const std::uint32_t>(&*first, static_cast<std::size_t>(last - first)));
  for (std::uint32_t& border : borders) border -= static_cast<std::uint32_t>(begin);
  slice->borders = borders;
  return static_cast<const TemplateText*>(slice);
}

TemplateValue TemplateHeap::List(absl::Span<const TemplateValue> items,
                                 TemplateList::Flavor flavor) {
  return static_cast<const TemplateList*>(New(TemplateList{Keep(items), flavor}));
}

TemplateValue TemplateHeap::Dict(absl::Span<const Member> members) {
  return static_cast<const TemplateDict*>(New(TemplateDict{Keep(members)}));
}

TemplateValue TemplateHeap::Generator(absl::Span<const TemplateValue> items) {
  return New(TemplateGenerator{Keep(items), 0});
}

TemplateValue TemplateHeap::Undefined(absl::string_view name, absl::string_view owner) {
  return static_cast<const TemplateUndefined*>(New(TemplateUndefined{name, owner}));
}

TemplateValue TemplateHeap::Namespace() {
  bytes_left_ -= kNamespaceBytes;
  return &namespaces_.emplace_back();
}

}  // namespace baton
