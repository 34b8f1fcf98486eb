#include "tests/bench/overlap_report.h"

#include <algorithm>
#include <cstdio>

#include "base/json.h"

namespace baton::bench {
namespace {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

void PrintSpread(const char* what, const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  std::printf("  %-34s %8.2f   (%.2f to %.2f)\n", what, Median(values), *least, *most);
}

JsonArray Samples(const std::vector<double>& values) {
  JsonArray samples;
  for (const double value : values) samples.emplace_back(value);
  return samples;
}

}  // namespace

double OverlapFigures::Exposed() const { return Median(exposed); }
double OverlapFigures::Whole() const { return Median(exposed_without); }

double OverlapFigures::GroupMs(const OverlapShape& shape) const {
  return Whole() * static_cast<double>(shape.GroupBytes()) / static_cast<double>(shape.Bytes());
}

bool OverlapFigures::met(const OverlapShape& shape) const {
  const bool share = shape.chunks < kExposedShareChunks || Exposed() <= kExposedShareBar * Whole();
  return share && Exposed() <= BoundMs(shape) && Whole() >= kWithoutOverlapBar * Exposed();
}

bool OverlapRun::met() const {
  return std::all_of(wires.begin(), wires.end(),
                     [this](const OverlapFigures& figures) { return figures.met(shape); });
}

void PrintOverlapTable(const OverlapRun& run) {
  const OverlapShape& shape = run.shape;
  std::printf(
      "%d tokens in %d chunks, %d layers of MLA in bf16: %.1f MiB in %u pages; groups of %d "
      "layers\n",
      shape.tokens, shape.chunks, shape.layers, static_cast<double>(shape.Bytes()) / (1 << 20),
      shape.Pages(), shape.group);
  std::printf(
      "the computation is a timer, %.1f ms a layer and chunk, for this CPU computes no such model "
      "in time;\npages, both ends of the hand-off, their threads and the wire are those of "
      "serving\n",
      shape.layer_us / 1e3);
  std::printf("before: %s\nafter:  %s\n", ToString(run.before).c_str(),
              ToString(run.after).c_str());
  for (const OverlapFigures& wire : run.wires) {
    std::printf("\n%s, ms, medians of %d rounds in turns\n", wire.wire.c_str(), shape.rounds);
    PrintSpread("exposed", wire.exposed);
    PrintSpread("exposed without overlap = whole", wire.exposed_without);
    std::printf("  %-34s %8.2f   (bar: exposed at most this)\n", "2 groups of layers + 1 ms",
                wire.BoundMs(shape));
    std::printf("  %-34s %7.1f %%   (bar %.0f %%)\n", "exposed of whole",
                100 * wire.Exposed() / wire.Whole(), 100 * kExposedShareBar);
    std::printf("  %-34s %7.1f x   (bar %.0f x)\n", "without / with", wire.Whole() / wire.Exposed(),
                kWithoutOverlapBar);
    std::printf("  %-34s %8.2f\n", "GB/s of the whole",
                static_cast<double>(shape.Bytes()) / wire.Whole() / 1e6);
  }
  std::printf(
      "\nexposed = prompt computed and first token known -> commit acknowledged. Checksums "
      "watched every round, the last hand-off of each receiver was compared byte by byte.\n");
  PrintIfVoid(DriftBetween(run.before, run.after));
}

void PrintOverlapJson(const OverlapRun& run) {
  JsonArray wires;
  for (const OverlapFigures& wire : run.wires) {
    wires.emplace_back(MakeJson({{"wire", wire.wire},
                                 {"exposed_ms", Samples(wire.exposed)},
                                 {"exposed_without_ms", Samples(wire.exposed_without)},
                                 {"bound_ms", wire.BoundMs(run.shape)},
                                 {"share_of_whole", wire.Exposed() / wire.Whole()},
                                 {"without_over_with", wire.Whole() / wire.Exposed()},
                                 {"met", wire.met(run.shape)}}));
  }
  const JsonObject json = MakeJson({{"tokens", run.shape.tokens},
                                    {"chunks", run.shape.chunks},
                                    {"layers", run.shape.layers},
                                    {"layer_us", run.shape.layer_us},
                                    {"computation", "paced by a timer"},
                                    {"bytes", static_cast<std::int64_t>(run.shape.Bytes())},
                                    {"wires", std::move(wires)},
                                    {"drift", DriftBetween(run.before, run.after)},
                                    {"void", run.void_run()},
                                    {"met", run.met()}});
  std::printf("%s\n", WriteJson(json).c_str());
}

}  // namespace baton::bench
