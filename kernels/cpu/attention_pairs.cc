// Attention by pairs of bf16, cut into (sequence, KV head, run of query vectors), and where that
// leaves threads without work, each of these into the parts of its sequence, merged in their order
// afterwards.
#include <algorithm>

#include "kernels/cpu/attention.h"
#include "kernels/cpu/drivers.h"

namespace baton {
namespace {

constexpr int kItemsAThread = 2;  // below, parts become items

// One run of query vectors, and where its items begin.
struct VectorRun {
  std::int32_t sequence = 0;
  std::int32_t kv_head = 0;
  std::int32_t first_vector = 0;
  std::int32_t parts = 0;
  std::int32_t first_item = 0;
};

class PairAttention {
 public:
  PairAttention(const CpuLevel& level, const AttentionWork& work, Stream& stream)
      : level_(level), work_(work), stream_(stream) {}

  void Run() {
    PlanRuns();
    const bool split =
        stream_.threads() > 1 && count_ < kItemsAThread * stream_.threads() && items_ > count_;
    if (!split) {
      stream_.ForEach(count_, [this](int worker, int item) {
        AttentionTileJob job = JobOf(runs_[item]);
        Compute(worker, job);
      });
      return;
    }
    part_floats_ = level_.attention_part_floats(JobOf(runs_[0], kAttentionPairVectorsMax));
    partials_ = ScratchFloats(stream_, stream_.SharedSlot(1),
                              part_floats_ * static_cast<std::size_t>(items_));
    stream_.ForEach(items_, [this](int worker, int item) { ComputePart(worker, item); });
    stream_.ForEach(count_, [this](int worker, int item) { MergeRun(worker, runs_[item]); });
  }

 private:
  int Group() const { return work_.num_heads / work_.kv_heads; }
  int Rows(int sequence) const {
    return work_.row_starts[sequence + 1] - work_.row_starts[sequence];
  }

  void PlanRuns() {
    constexpr int kMax = kAttentionPairVectorsMax;
    for (int sequence = 0; sequence < work_.sequences; ++sequence) {
      count_ += (Rows(sequence) * Group() + kMax - 1) / kMax * work_.kv_heads;
    }
    runs_ = reinterpret_cast<VectorRun*>(stream_.Scratch(
        stream_.SharedSlot(0), static_cast<std::size_t>(count_) * sizeof(VectorRun)));
    int next = 0;
    for (int sequence = 0; sequence < work_.sequences; ++sequence) {
      for (int kv_head = 0; kv_head < work_.kv_heads; ++kv_head) {
        for (int first = 0; first < Rows(sequence) * Group(); first += kMax) {
          VectorRun run{.sequence = sequence, .kv_head = kv_head, .first_vector = first};
          run.parts = Parts(run);
          run.first_item = items_;
          items_ += run.parts;
          runs_[next++] = run;
        }
      }
    }
  }

  int VectorsOf(const VectorRun& run) const {
    return std::min(kAttentionPairVectorsMax, Rows(run.sequence) * Group() - run.first_vector);
  }

  // Up to the last token that the run's last vector sees; one at least.
  int Parts(const VectorRun& run) const {
    const int last_row = (run.first_vector + VectorsOf(run) - 1) / Group();
    const int seen = work_.lengths[run.sequence] - (Rows(run.sequence) - 1 - last_row);
    const int part_tokens = kPartPages * work_.tokens_per_page;
    return std::max(1, (seen + part_tokens - 1) / part_tokens);
  }

  AttentionTileJob JobOf(const VectorRun& run) const { return JobOf(run, VectorsOf(run)); }

  AttentionTileJob JobOf(const VectorRun& run, int vectors) const {
    AttentionTileJob job = HeadJob(work_, run.sequence, run.kv_head);
    job.vectors = vectors;
    job.first_vector = run.first_vector;
    job.parts = run.parts;
    return job;
  }

  void Compute(int worker, AttentionTileJob& job) {
    job.scratch = ScratchFloats(stream_, worker, level_.attention_pairs_scratch_floats(job));
    level_.attention_pairs(job);
  }

  void ComputePart(int worker, int item) {
    const VectorRun* run = std::upper_bound(runs_, runs_ + count_, item,
                                            [](int value, const VectorRun& candidate) {
                                              return value < candidate.first_item;
                                            }) -
                           1;
    AttentionTileJob job = JobOf(*run);
    job.first_part = item - run->first_item;
    job.parts = 1;
    job.partials = PartialsOf(*run) +
                   static_cast<std::size_t>(job.first_part) * level_.attention_part_floats(job);
    Compute(worker, job);
  }

  void MergeRun(int worker, const VectorRun& run) {
    AttentionTileJob job = JobOf(run);
    job.partials = PartialsOf(run);
    job.scratch = ScratchFloats(stream_, worker, level_.attention_pairs_scratch_floats(job));
    level_.attention_merge(job);
  }

  float* PartialsOf(const VectorRun& run) const {
    return partials_ + part_floats_ * static_cast<std::size_t>(run.first_item);
  }

  const CpuLevel& level_;
  const AttentionWork& work_;
  Stream& stream_;
  VectorRun* runs_ = nullptr;  // [count_]
  int count_ = 0;
  int items_ = 0;                // parts of all runs
  std::size_t part_floats_ = 0;  // of a run that is full
  float* partials_ = nullptr;
};

}  // namespace

void RunPairAttention(const CpuLevel& level, const AttentionWork& work, Stream& stream) {
  PairAttention(level, work, stream).Run();
}

}  // namespace baton
