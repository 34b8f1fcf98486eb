#include "server/text/token_table.h"

#include "absl/hash/hash.h"

namespace baton {
namespace {

constexpr std::size_t kFirstSlots = 1024;

}  // namespace

absl::string_view TokenTable::TextOf(const Entry& entry) const {
  return absl::string_view(text_).substr(entry.begin, entry.bytes);
}

// The slot where `bytes` is, or the free one where it would go.
std::size_t TokenTable::SlotOf(absl::string_view bytes) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = absl::Hash<absl::string_view>{}(bytes)&mask;
  while (slots_[slot] != 0 && TextOf(entries_[slots_[slot] - 1]) != bytes) slot = (slot + 1) & mask;
  return slot;
}

void TokenTable::Grow() {
  slots_.assign(slots_.empty() ? kFirstSlots : 2 * slots_.size(), 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    slots_[SlotOf(TextOf(entries_[i]))] = static_cast<std::uint32_t>(i + 1);
  }
}

bool TokenTable::Add(absl::string_view bytes, TokenId id) {
  if (2 * (entries_.size() + 1) > slots_.size()) Grow();
  const std::size_t slot = SlotOf(bytes);
  if (slots_[slot] != 0 || Contains(id)) return false;
  entries_.push_back({text_.size(), static_cast<std::uint32_t>(bytes.size()), id});
  text_.append(bytes.data(), bytes.size());
  const auto index = static_cast<std::uint32_t>(entries_.size());
  slots_[slot] = index;
  if (by_id_.size() <= static_cast<std::size_t>(id))
    by_id_.resize(static_cast<std::size_t>(id) + 1);
  by_id_[static_cast<std::size_t>(id)] = index;
  return true;
}

TokenId TokenTable::Find(absl::string_view bytes) const {
  if (slots_.empty()) return kNoToken;
  const std::uint32_t index = slots_[SlotOf(bytes)];
  return index == 0 ? kNoToken : entries_[index - 1].id;
}

bool TokenTable::Contains(TokenId id) const {
  return id >= 0 && static_cast<std::size_t>(id) < by_id_.size() &&
         by_id_[static_cast<std::size_t>(id)] != 0;
}

absl::string_view TokenTable::BytesOf(TokenId id) const {
  return Contains(id) ? TextOf(entries_[by_id_[static_cast<std::size_t>(id)] - 1])
                      : absl::string_view();
}

}  // namespace baton
