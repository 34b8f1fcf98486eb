#include "tests/sim/sim_report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace baton {
namespace {

void Add(const std::map<std::string, int>& counts, std::map<std::string, int>& sum) {
  for (const auto& [name, count] : counts) sum[name] += count;
}

std::string Text(const std::map<std::string, int>& counts) {
  return absl::StrJoin(counts, ", ", absl::PairFormatter(" "));
}

int Sum(const std::map<std::string, int>& counts) {
  int sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

std::string Without(std::uint64_t without) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kFaults; ++i) {
    if ((without >> i & 1) != 0) names.emplace_back(kFaultNames[i]);
  }
  return absl::StrJoin(names, ",");
}

}  // namespace

void AddInbound(const InboundStats& counts, InboundStats& sum) {
  sum.bytes_landed += counts.bytes_landed;
  sum.stale_frames_refused += counts.stale_frames_refused;
  sum.wild_frames_refused += counts.wild_frames_refused;
  sum.duplicate_frames += counts.duplicate_frames;
  sum.crc_errors += counts.crc_errors;
  sum.stale_commits += counts.stale_commits;
}

void AddReport(const SimReport& report, SimReport& sum) {
  sum.requests += report.requests;
  sum.finished += report.finished;
  sum.cancelled += report.cancelled;
  sum.lost += report.lost;
  Add(report.failed, sum.failed);
  sum.tokens += report.tokens;
  Add(report.retries, sum.retries);
  sum.handoffs += report.handoffs;
  sum.blows += report.blows;
  Add(report.faults, sum.faults);
  Add(report.handoff_ends, sum.handoff_ends);
  AddInbound(report.inbound, sum.inbound);
  sum.events += report.events;
  sum.simulated += report.simulated;
}

int FailedOf(const SimReport& report) { return Sum(report.failed); }

std::string TextOf(const SimReport& sum, int seeds, double cpu_seconds) {
  const double hours = ToSeconds(sum.simulated) / 3600;
  std::string text = absl::StrFormat(
      "%d requests in %d seeds: %d finished, %d cancelled, %d lost with their router, %d failed "
      "(%s)\n%d tokens, %d hand-offs, retries (%s)\n",
      sum.requests, seeds, sum.finished, sum.cancelled, sum.lost, FailedOf(sum), Text(sum.failed),
      sum.tokens, sum.handoffs, Text(sum.retries));
  absl::StrAppendFormat(&text, "faults (%s)\n", Text(sum.faults));
  absl::StrAppendFormat(&text, "hand-offs ended (%s)\n", Text(sum.handoff_ends));
  absl::StrAppendFormat(
      &text,
      "frames refused: %d stale, %d wild, %d repeated, %d damaged; commits refused as stale: %d\n",
      sum.inbound.stale_frames_refused, sum.inbound.wild_frames_refused,
      sum.inbound.duplicate_frames, sum.inbound.crc_errors, sum.inbound.stale_commits);
  absl::StrAppendFormat(
      &text,
      "%d events in %.2f simulated cluster-hours and %.1f CPU seconds: %.0f hours a CPU-minute, "
      "%.0f requests and %.1f faults a simulated minute, %.0f events/s\n",
      sum.events, hours, cpu_seconds, hours * 60 / cpu_seconds, sum.requests / hours / 60,
      Sum(sum.faults) / hours / 60, static_cast<double>(sum.events) / cpu_seconds);
  return text;
}

std::string Replay(const SimOptions& options, const SimReport& report) {
  std::string line = absl::StrFormat("replay: sim_test --seed=%d --seeds=1 --requests=%d",
                                     options.seed, options.requests);
  if (options.without != 0) absl::StrAppend(&line, " --without=", Without(options.without));
  if (options.blows != kAllBlows) absl::StrAppend(&line, " --blows=", options.blows);
  absl::StrAppend(&line, " --until=", report.events, "\n  ",
                  absl::StrJoin(report.violations, "\n  "));
  return absl::StrCat(line, "\nbefore it:\n  ", absl::StrJoin(report.last, "\n  "), "\n");
}

}  // namespace baton
