// Runs one sequence through a model's forward pass and hands back raw logits, which the executor
// never shows.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/model.h"
#include "engine/model/architecture.h"
#include "engine/model/batch.h"
#include "kernels/backend.h"
#include "kvcache/kv_arena.h"

namespace baton::testing {

class ForwardRunner {
 public:
  /// Pages hold the model's activation type.
  ForwardRunner(const Model& model, const Backend& backend, int length)
      : ForwardRunner(model, backend, length, model.facts().activation) {}

  ForwardRunner(const Model& model, const Backend& backend, int length, DType kv_dtype)
      : model_(model), stream_(2) {
    const KvLayout layout = model.LayoutFor(kv_dtype, 64);
    const int pages = layout.PagesFor(length);
    auto arena = KvArena::Create(layout, static_cast<std::uint32_t>(pages));
    EXPECT_TRUE(arena.ok()) << arena.status();
    arena_ = *std::move(arena);
    for (int page = 0; page < pages; ++page) pages_.push_back(PageId(pages - 1 - page));
    batch_ = std::make_unique<Batch>(BatchLimits{length, 1, pages, 64});
    forward_ = model.weights().NewForward(backend, *arena_, stream_, batch_->limits);
  }

  /// Forgets the sequence.
  void Restart() { position_ = 0; }

  /// Logits after `tokens` follow what was fed before; [vocab].
  std::vector<float> Feed(const std::vector<TokenId>& tokens) {
    StepEntry entry;
    entry.first_position = position_;
    entry.tokens = tokens;
    entry.samples = true;
    position_ += static_cast<int>(tokens.size());
    entry.pages.assign(pages_.begin(), pages_.begin() + arena_->layout().PagesFor(position_));
    Step step;
    step.entries.push_back(std::move(entry));
    batch_->Fill(step);
    const absl::Status status = forward_->Run(*batch_, [](int) {});
    EXPECT_TRUE(status.ok()) << status;
    const float* logits = forward_->Logits(0);
    return {logits, logits + model_.facts().vocab_size};
  }

 private:
  const Model& model_;
  Stream stream_;
  std::unique_ptr<KvArena> arena_;
  std::vector<PageId> pages_;
  std::unique_ptr<Batch> batch_;
  std::unique_ptr<Forward> forward_;
  int position_ = 0;
};

}  // namespace baton::testing
