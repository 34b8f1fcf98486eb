#include "engine/model/batch.h"

#include <algorithm>

namespace baton {

Batch::Batch(const BatchLimits& limits_in) : limits(limits_in) {
  const auto tokens = static_cast<std::size_t>(limits.tokens);
  const auto sequences = static_cast<std::size_t>(limits.sequences);
  ids.reserve(tokens);
  positions.reserve(tokens);
  slots.reserve(tokens);
  row_starts.reserve(sequences + 1);
  lengths.reserve(sequences);
  block_table.reserve(sequences * static_cast<std::size_t>(limits.pages_per_sequence));
  sample_rows.reserve(sequences);
}

void Batch::Fill(const Step& step) {
  ids.clear();
  positions.clear();
  slots.clear();
  row_starts.assign(1, 0);
  lengths.clear();
  block_table.clear();
  sample_rows.clear();
  max_pages = 0;
  for (const StepEntry& entry : step.entries) {
    max_pages = std::max(max_pages, static_cast<int>(entry.pages.size()));
  }
  for (const StepEntry& entry : step.entries) {
    int position = entry.first_position;
    for (const TokenId token : entry.tokens) {
      const PageId page = entry.pages[static_cast<std::size_t>(position / limits.tokens_per_page)];
      ids.push_back(token);
      positions.push_back(position);
      slots.push_back(std::int64_t{Index(page)} * limits.tokens_per_page +
                      position % limits.tokens_per_page);
      ++position;
    }
    lengths.push_back(position);
    row_starts.push_back(static_cast<std::int32_t>(ids.size()));
    for (const PageId page : entry.pages) {
      block_table.push_back(static_cast<std::int32_t>(Index(page)));
    }
    block_table.resize(lengths.size() * static_cast<std::size_t>(max_pages), 0);
    if (entry.samples) sample_rows.push_back(row_starts.back() - 1);
  }
}

}  // namespace baton
