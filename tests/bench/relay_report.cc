#include "tests/bench/relay_report.h"

#include <algorithm>
#include <cstdio>

#include "base/json.h"

namespace baton::bench {
namespace {

double PercentileOf(std::vector<double> values, double percent) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(last * percent / 100 + 0.5)];
}

void PrintWire(const WireFigures& figures) {
  std::printf("\n%s: %zu requests, %lld bytes each; `bench transfer` moved %.2f GB/s\n",
              figures.wire.c_str(), figures.samples.size(),
              static_cast<long long>(figures.samples.front().bytes), figures.gb_per_s);
  std::printf("  %-28s %10s %10s\n", "ms", "p50", "p90");
  for (std::size_t i = 0; i < kRelaySpanNames.size(); ++i) {
    const auto span = static_cast<RelaySpan>(i);
    std::printf("  %-28s %10.2f %10.2f\n", kRelaySpanNames[i], figures.Percentile(span, 50),
                figures.Percentile(span, 90));
  }
  std::printf("  %-28s %10.2f %10s\n", "admit (mean)", figures.admit_ms, "");
  std::printf("  %-28s %10.2f %10.2f\n", "hand-off = gap - step", figures.HandoffMs(50),
              figures.HandoffMs(90));
  std::printf("  %-28s %10.2f\n", "wire = bytes / rate", figures.WireMs());
  std::printf("  %-28s %10.2f %10.2f   (bar %.0f p50)\n", "hand-off beside the wire",
              figures.BesideWireMs(50), figures.BesideWireMs(90), kBesideWireBarMs);
}

JsonObject WireJson(const WireFigures& figures) {
  JsonObject json = MakeJson({{"wire", figures.wire},
                              {"requests", static_cast<std::int64_t>(figures.samples.size())},
                              {"bytes", figures.samples.front().bytes},
                              {"gigabytes_per_second", figures.gb_per_s},
                              {"admit_ms_mean", figures.admit_ms},
                              {"wire_ms", figures.WireMs()}});
  const auto pair = [](double p50, double p90) { return MakeJson({{"p50", p50}, {"p90", p90}}); };
  for (std::size_t i = 0; i < kRelaySpanNames.size(); ++i) {
    const auto span = static_cast<RelaySpan>(i);
    json.Insert(std::string(kRelaySpanNames[i]) + "_ms",
                pair(figures.Percentile(span, 50), figures.Percentile(span, 90)));
  }
  json.Insert("handoff_ms", pair(figures.HandoffMs(50), figures.HandoffMs(90)));
  json.Insert("beside_wire_ms", pair(figures.BesideWireMs(50), figures.BesideWireMs(90)));
  return json;
}

}  // namespace

double WireFigures::Percentile(RelaySpan span, double percent) const {
  std::vector<double> values;
  for (const RelaySample& sample : samples) values.push_back(sample[span]);
  return PercentileOf(std::move(values), percent);
}

double WireFigures::HandoffMs(double percent) const {
  std::vector<double> values;
  for (const RelaySample& sample : samples) values.push_back(sample.HandoffMs());
  return PercentileOf(std::move(values), percent);
}

double WireFigures::WireMs() const {
  return static_cast<double>(samples.front().bytes) / (gb_per_s * 1e9) * 1e3;
}

bool RelayFigures::met() const {
  return std::all_of(wires.begin(), wires.end(), [](const WireFigures& figures) {
    return figures.BesideWireMs(50) <= kBesideWireBarMs;
  });
}

void PrintRelayTable(const RelayFigures& figures) {
  std::printf("%s, prompts of %d tokens, one request at a time, no prefix hit\n",
              figures.model.c_str(), figures.prompt_tokens);
  std::printf("before: %s\nafter:  %s\n", ToString(figures.before).c_str(),
              ToString(figures.after).c_str());
  for (const WireFigures& wire : figures.wires) PrintWire(wire);
  std::printf(
      "\nbudget told by the answer: first_token = read at the router -> first token there; queue,"
      "\nprefill, offer = on the prefill worker; exposed = prompt computed -> commit acknowledged;"
      "\ncommit = Commit -> acknowledged. Seen by the client: gap = first token -> second, step ="
      "\nmedian of the later gaps. Most of the bytes travel while the prompt is computed, so that"
      "\nbytes / rate may exceed what the hand-off shows, and the difference may be below zero.\n");
  PrintIfVoid(DriftBetween(figures.before, figures.after));
}

void PrintRelayJson(const RelayFigures& figures) {
  JsonArray wires;
  for (const WireFigures& wire : figures.wires) wires.emplace_back(WireJson(wire));
  const JsonObject json = MakeJson({{"model", figures.model},
                                    {"prompt_tokens", figures.prompt_tokens},
                                    {"wires", std::move(wires)},
                                    {"before", ToString(figures.before)},
                                    {"after", ToString(figures.after)},
                                    {"drift", DriftBetween(figures.before, figures.after)},
                                    {"void", figures.void_run()},
                                    {"met", figures.met()}});
  std::printf("%s\n", WriteJson(json).c_str());
}

}  // namespace baton::bench
