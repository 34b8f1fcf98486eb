#include "tests/bench/transfer_report.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/json.h"

namespace baton::bench {
namespace {

void PrintRow(const std::string& what, const std::string& wire, const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  std::printf("%-20s %-8s %10.2f %10.2f %10.2f\n", what.c_str(), wire.c_str(), MedianOf(values),
              *least, *most);
}

void PrintShare(const std::string& what, double share, double bar) {
  std::printf("%-52s %5.0f %%  (bar %.0f %%)\n", what.c_str(), 100 * share, 100 * bar);
}

JsonArray Samples(const std::vector<double>& values) {
  JsonArray samples;
  for (const double value : values) samples.emplace_back(value);
  return samples;
}

Bar BarOf(const std::string& name, const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {name, MedianOf(values), *least, *most};
}

std::string ManyName() { return absl::StrCat(kSessionsManyCount, " sessions"); }

}  // namespace

double TransferFigures::ShareOf(Way way, Way of) const {
  return contestants[static_cast<std::size_t>(way)].Median() /
         contestants[static_cast<std::size_t>(of)].Median();
}

bool TransferFigures::met() const {
  const bool sessions_meet =
      std::all_of(sessions.begin(), sessions.end(), [](const SessionFigures& one) {
        return one.ManyShare() >= kSessionsBar && MedianOf(one.offer_ms) <= kOfferBarMs;
      });
  return sessions_meet && ShareOf(Way::kShm, Way::kCopy) >= kShmBar &&
         ShareOf(Way::kTcp, Way::kSocket) >= kTcpBar &&
         ShareOf(Way::kCopyCrc, Way::kCopy) >= kCopyCrcBar;
}

void PrintTransferTable(const TransferFigures& figures) {
  std::printf("%-20s %-8s %10s %10s %10s\n", "what", "wire", "GB/s", "least", "most");
  for (const Contestant& one : figures.contestants) {
    PrintRow(one.name, one.wire, one.gigabytes_per_second);
  }
  for (const SessionFigures& one : figures.sessions) {
    PrintRow("hand-off, 1 session", one.wire, one.one_gb_per_s);
    PrintRow("hand-off, " + ManyName(), one.wire, one.many_gb_per_s);
  }
  std::printf("\n");
  PrintShare("shm, of the scattered copy", figures.ShareOf(Way::kShm, Way::kCopy), kShmBar);
  PrintShare("tcp, of the plain socket", figures.ShareOf(Way::kTcp, Way::kSocket), kTcpBar);
  PrintShare("copy and checksum, of the copy", figures.ShareOf(Way::kCopyCrc, Way::kCopy),
             kCopyCrcBar);
  for (const SessionFigures& one : figures.sessions) {
    PrintShare(absl::StrCat(ManyName(), " of one, ", one.wire), one.ManyShare(), kSessionsBar);
  }
  for (const SessionFigures& one : figures.sessions) {
    std::printf("%-52s %5.2f ms (bar %.1f ms)\n",
                absl::StrCat("Offer to Grant, idle, ", one.wire).c_str(), MedianOf(one.offer_ms),
                kOfferBarMs);
    std::printf("%-52s %5.2f ms\n",
                absl::StrCat("a hand-off of one page, offered to settled, ", one.wire).c_str(),
                MedianOf(one.small_ms));
  }
}

void PrintTransferJson(const TransferFigures& figures) {
  JsonArray rows;
  for (const Contestant& one : figures.contestants) {
    rows.emplace_back(MakeJson({{"what", one.name},
                                {"wire", one.wire},
                                {"gigabytes_per_second", one.Median()},
                                {"samples", Samples(one.gigabytes_per_second)}}));
  }
  JsonArray sessions;
  for (const SessionFigures& one : figures.sessions) {
    sessions.emplace_back(MakeJson({{"wire", one.wire},
                                    {"one", Samples(one.one_gb_per_s)},
                                    {"many", Samples(one.many_gb_per_s)},
                                    {"many_count", kSessionsManyCount},
                                    {"many_share_of_one", one.ManyShare()},
                                    {"small_ms", MedianOf(one.small_ms)},
                                    {"offer_ms", MedianOf(one.offer_ms)}}));
  }
  const JsonObject json =
      MakeJson({{"contestants", std::move(rows)},
                {"sessions", std::move(sessions)},
                {"shm_share_of_copy", figures.ShareOf(Way::kShm, Way::kCopy)},
                {"tcp_share_of_socket", figures.ShareOf(Way::kTcp, Way::kSocket)},
                {"copy_crc_share_of_copy", figures.ShareOf(Way::kCopyCrc, Way::kCopy)},
                {"met", figures.met()}});
  std::printf("%s\n", WriteJson(json).c_str());
}

BarPlot PlotOf(const TransferFigures& figures) {
  BarPlot plot{"pages moved, medians and spread of all rounds", "GB/s", {}};
  for (const Contestant& one : figures.contestants) {
    plot.bars.push_back(BarOf(one.name + ", " + one.wire, one.gigabytes_per_second));
  }
  for (const SessionFigures& one : figures.sessions) {
    plot.bars.push_back(BarOf("hand-off, 1 session, " + one.wire, one.one_gb_per_s));
    plot.bars.push_back(BarOf("hand-off, " + ManyName() + ", " + one.wire, one.many_gb_per_s));
  }
  return plot;
}

}  // namespace baton::bench
