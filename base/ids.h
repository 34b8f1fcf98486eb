// Names for things that are counted, so that a page number can never be passed where a token
// number is meant. Each is a plain integer at run time.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstdio>
#include <string>
#include <type_traits>

namespace baton {

using TokenId = std::int32_t;  // vocabulary index, as in the checkpoint's tokenizer

enum class PageId : std::uint32_t {};      // index of a KV page within one worker's pool
enum class SequenceId : std::uint64_t {};  // one attempt of one request on one worker; never reused
enum class HandoffId : std::uint64_t {};   // one hand-off; unique within the sender's incarnation
enum class LeaseId : std::uint64_t {};     // right to write inbound pages; only grows within the
                                           // receiver's incarnation, never reused
enum class LinkId : std::uint32_t {};      // one life of one (router, worker) stream; never reused
                                           // within the process that numbers it
enum class Incarnation : std::uint64_t {};  // one life of one worker process; random, never 0

template <typename Id>
constexpr auto Index(Id id) {
  return static_cast<std::underlying_type_t<Id>>(id);
}

/// One request, from the router's door to its end, in every process: 128 random bits.
struct RequestId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const RequestId&, const RequestId&) = default;

  /// 32 lower-case hexadecimal digits.
  std::string ToString() const {
    std::array<char, 33> text{};
    std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(high),
                  static_cast<unsigned long long>(low));
    return text.data();
  }
};

}  // namespace baton
