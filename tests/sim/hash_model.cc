#include "tests/sim/hash_model.h"

#include <cstring>

namespace baton {
namespace {

constexpr int kLayers = 2;

struct Row {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};
static_assert(sizeof(Row) == 16);

// The finaliser of splitmix64: every input bit moves every output bit.
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

Row NextRow(const Row& before, int position, int layer, TokenId token) {
  Row row;
  row.low = Mix(before.low ^ Mix(static_cast<std::uint64_t>(token) + 1));
  row.high = Mix(before.high + row.low + (static_cast<std::uint64_t>(position) << 8) +
                 static_cast<std::uint64_t>(layer));
  return row;
}

// body(a part of the token's row in its page, where that part begins in the row), plane by plane.
template <typename Body>
void ForParts(const StepEntry& entry, int position, int layer, const KvArena& arena,
              const Body& body) {
  const KvLayout& layout = arena.layout();
  const PageId page = entry.pages[static_cast<std::size_t>(position / layout.tokens_per_page)];
  std::byte* part =
      arena.Page(page).data() + static_cast<std::size_t>(layer) * layout.LayerBytes() +
      static_cast<std::size_t>(position % layout.tokens_per_page) * layout.RowBytes(0);
  for (std::size_t at = 0; at < sizeof(Row); at += layout.RowBytes(0)) {
    body(part, at);
    part += layout.PlaneBytes(0);
  }
}

Row ReadRow(const StepEntry& entry, int position, int layer, const KvArena& arena) {
  Row row;
  ForParts(entry, position, layer, arena, [&](const std::byte* part, std::size_t at) {
    std::memcpy(reinterpret_cast<std::byte*>(&row) + at, part, arena.layout().RowBytes(0));
  });
  return row;
}

void WriteRow(const StepEntry& entry, int position, int layer, const KvArena& arena,
              const Row& row) {
  ForParts(entry, position, layer, arena, [&](std::byte* part, std::size_t at) {
    std::memcpy(part, reinterpret_cast<const std::byte*>(&row) + at, arena.layout().RowBytes(0));
  });
}

/// What the rows seen so far add up to; the order does not matter, the positions are in the rows.
void Attend(const Row& row, int position, std::uint64_t& sum) {
  sum += Mix(row.low ^ Mix(row.high + static_cast<std::uint64_t>(position)));
}

TokenOutput Sample(std::uint64_t sum, int position, const SamplingParams& sampling) {
  const std::uint64_t draw =
      Mix(sum ^ Mix(sampling.seed ^ (static_cast<std::uint64_t>(position) << 32)));
  return {.token = static_cast<TokenId>(draw % kHashVocabulary),
          .logprob = -static_cast<float>(draw >> 40),
          .top = {}};
}

PromptLogprob Score(std::uint64_t sum, int position, TokenId token) {
  const std::uint64_t draw = Mix(
      sum ^ Mix(static_cast<std::uint64_t>(token) ^ (static_cast<std::uint64_t>(position) << 32)));
  return {.token = token,
          .logprob = -static_cast<float>(draw >> 40),
          .rank = 1 + static_cast<int>(draw % kHashVocabulary),
          .top = {}};
}

}  // namespace

KvLayout HashLayout(int tokens_per_page, bool heads) {
  if (heads) {
    return {.num_layers = kLayers,
            .tokens_per_page = tokens_per_page,
            .kv_heads = 2,
            .head_dim = 1,
            .dtype = DType::kF32};
  }
  return {.num_layers = kLayers,
          .tokens_per_page = tokens_per_page,
          .latent_dim = 2,
          .rope_dim = 2,
          .dtype = DType::kF32};
}

void WriteHashRows(const StepEntry& entry, int layer, const KvArena& arena) {
  Row before;
  if (entry.first_position > 0) before = ReadRow(entry, entry.first_position - 1, layer, arena);
  for (std::size_t i = 0; i < entry.tokens.size(); ++i) {
    const int position = entry.first_position + static_cast<int>(i);
    before = NextRow(before, position, layer, entry.tokens[i]);
    WriteRow(entry, position, layer, arena, before);
  }
}

TokenOutput SampleFromPages(const StepEntry& entry, const KvArena& arena) {
  const int end = entry.first_position + static_cast<int>(entry.tokens.size());
  std::uint64_t sum = 0;
  for (int layer = 0; layer < kLayers; ++layer) {
    for (int position = 0; position < end; ++position) {
      Attend(ReadRow(entry, position, layer, arena), position, sum);
    }
  }
  return Sample(sum, end, entry.sampling);
}

PromptLogprobRun ScoreFromPages(const StepEntry& entry, const KvArena& arena) {
  PromptLogprobRun run{
      .sequence = entry.sequence, .first_position = entry.first_position + 1, .tokens = {}};
  const int end = entry.first_position + static_cast<int>(entry.followers.size());
  std::uint64_t sum = 0;
  for (int position = 0; position < end; ++position) {
    for (int layer = 0; layer < kLayers; ++layer) {
      Attend(ReadRow(entry, position, layer, arena), position, sum);
    }
    const int follower = position - entry.first_position;
    if (follower < 0) continue;
    run.tokens.push_back(
        Score(sum, position + 1, entry.followers[static_cast<std::size_t>(follower)]));
  }
  return run;
}

std::vector<PromptLogprob> HashPromptOracle(const std::vector<TokenId>& prompt) {
  Row rows[kLayers];
  std::uint64_t sum = 0;
  std::vector<PromptLogprob> scored;
  for (std::size_t i = 0; i + 1 < prompt.size(); ++i) {
    for (int layer = 0; layer < kLayers; ++layer) {
      rows[layer] = NextRow(rows[layer], static_cast<int>(i), layer, prompt[i]);
      Attend(rows[layer], static_cast<int>(i), sum);
    }
    scored.push_back(Score(sum, static_cast<int>(i) + 1, prompt[i + 1]));
  }
  return scored;
}

std::vector<TokenOutput> HashOracle(const std::vector<TokenId>& prompt,
                                    const SamplingParams& sampling, const StopRule& stop) {
  Row rows[kLayers];
  std::uint64_t sum = 0;
  int position = 0;
  const auto feed = [&](TokenId token) {
    for (int layer = 0; layer < kLayers; ++layer) {
      rows[layer] = NextRow(rows[layer], position, layer, token);
      Attend(rows[layer], position, sum);
    }
    ++position;
  };
  for (TokenId token : prompt) feed(token);
  std::vector<TokenOutput> outputs;
  while (true) {
    outputs.push_back(Sample(sum, position, sampling));
    const TokenId token = outputs.back().token;
    if (stop.After(static_cast<int>(outputs.size()), token) != FinishReason::kNone) return outputs;
    feed(token);
  }
}

}  // namespace baton
