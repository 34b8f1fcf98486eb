// What one run of a chat template may use up, and where its values lie: memory, steps and the size
// of strings are counted here, and everything is given back together when the run ends.
//
// Thread: one; made for a run, gone with it.
#pragma once

#include <deque>
#include <memory_resource>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/text/template_limits.h"
#include "server/text/template_value.h"

namespace baton {

class TemplateHeap {
 public:
  using Member = std::pair<TemplateValue, TemplateValue>;

  /// Uses up `parts` of a step. Errors: ResourceExhausted when the run has cost too much.
  absl::Status Spend(std::int64_t parts);

  /// Uses up what building or searching `bytes` costs, before it is done. Errors: as Spend.
  absl::Status SpendBytes(std::size_t bytes);

  /// An error once memory or steps are used up, however that happened.
  absl::Status Check() const;

  /// Keeps a plain value until the run ends.
  template <typename T>
  T* New(const T& value) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (Allocate(sizeof(T), alignof(T))) T(value);
  }

  /// A copy of `items` that lives as long as the run.
  template <typename T>
  absl::Span<T> Keep(absl::Span<const T> items) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (items.empty()) return {};
    auto* copy = static_cast<T*>(Allocate(items.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), copy);
    return {copy, items.size()};
  }

  /// Texts: `bytes` copied, or viewed where they outlive the run.
  TemplateValue Text(absl::string_view bytes, bool trusted);
  TemplateValue TextView(absl::string_view bytes, bool trusted);

  /// Errors: ResourceExhausted when the builder overflowed or the run has cost too much.
  absl::StatusOr<TemplateValue> Text(const TemplateTextBuilder& built);

  /// Bytes [begin, end) of a text, viewed, with their marks.
  TemplateValue Slice(const TemplateText& text, std::size_t begin, std::size_t end);

  TemplateValue List(absl::Span<const TemplateValue> items,
                     TemplateList::Flavor flavor = TemplateList::Flavor::kList);
  TemplateValue Dict(absl::Span<const Member> members);
  TemplateValue Generator(absl::Span<const TemplateValue> items);
  TemplateValue Undefined(absl::string_view name, absl::string_view owner = {});
  TemplateValue Namespace();

 private:
  void* Allocate(std::size_t bytes, std::size_t alignment);

  std::pmr::monotonic_buffer_resource memory_;
  std::deque<TemplateNamespace> namespaces_;  // the only values with destructors
  std::int64_t parts_left_ = kTemplateStepsMax * kTemplateStepParts;
  std::int64_t bytes_left_ = kTemplateHeapBytesMax;
};

/// An empty builder with the limit of every string.
inline TemplateTextBuilder NewTextBuilder() { return TemplateTextBuilder(kTemplateOutputBytesMax); }

}  // namespace baton
