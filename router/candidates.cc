#include "router/candidates.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace baton {
namespace {

constexpr float kNobody = std::numeric_limits<float>::infinity();
constexpr std::size_t kAloneBest = 2;

float PagesFor(int tokens, int page_tokens) {
  return static_cast<float>((tokens + page_tokens - 1) / page_tokens);
}

FleetAsk AskOf(const RouteTable& table, const RouterOptions& options, const RouteQuery& route,
               Instant now) {
  FleetAsk ask;
  ask.now = table.Relative(now);
  ask.prompt_tokens = static_cast<float>(route.prompt_tokens);
  ask.page_tokens = static_cast<float>(route.page_tokens);
  ask.chunk_tokens = static_cast<float>(route.step_tokens_max);
  ask.backlog_seconds_max = static_cast<float>(ToSeconds(options.backlog_max));
  ask.output_tokens = static_cast<float>(route.output_tokens);
  ask.decode_weight = static_cast<float>(route.decode_weight);
  ask.page_seconds = static_cast<float>(route.wire.page_seconds(/*near=*/false));
  return ask;
}

bool IsReady(const RouteRow& row, Instant now) { return now <= row.ready_until; }

}  // namespace

const Candidates& CandidateFinder::Find(RouteTable& table, const FleetIndex& index,
                                        const RouterOptions& options, const CandidatesQuery& query,
                                        const RouteQuery& route, Instant now) {
  found_.prefill.clear();
  found_.decode.clear();
  table.Rebase(now);
  depths_ = (match_.*walk_)(index, query.keys);
  scores_.resize(depths_.size());
  avoid_.clear();
  for (const LinkId link : query.avoid) {
    if (const std::optional<Slot> slot = index.SlotOf(link)) avoid_.push_back(*slot);
  }
  const Scan scan{table, index, query, route, AskOf(table, options, route, now), now};
  FindPrefill(scan);
  if (!found_.prefill.empty()) FindDecode(scan);
  found_.alone = found_.prefill.empty() && query.alone_allowed && NobodyPrefills(table, now);
  if (found_.alone || !found_.decode.empty()) FindAlone(scan, options);
  found_.verdict = CandidatesVerdict::kSome;
  if (!found_.decode.empty()) return found_;
  found_.verdict =
      VerdictOf(table, options, route.prompt_tokens, route.page_tokens, query.alone_allowed, now);
  if (found_.verdict == CandidatesVerdict::kSome) found_.verdict = CandidatesVerdict::kFull;
  return found_;
}

bool CandidateFinder::Avoided(Slot slot) const {
  return std::find(avoid_.begin(), avoid_.end(), slot) != avoid_.end();
}

int CandidateFinder::HeldTokens(const Scan& scan, Slot slot) const {
  return static_cast<int>(depths_[slot]) * scan.route.page_tokens;
}

// Keeps the `count` least, in order.
void CandidateFinder::Offer(std::vector<Entry>& best, std::size_t count, Entry entry) {
  if (best.size() == count && entry.score >= best.back().score) return;
  if (best.size() == count) best.pop_back();
  const auto place = std::upper_bound(best.begin(), best.end(), entry,
                                      [](Entry a, Entry b) { return a.score < b.score; });
  best.insert(place, entry);
}

void CandidateFinder::Best(const Scan& scan, Loop loop, bool decode, std::size_t count) {
  const std::vector<std::uint16_t>& groups = scan.index.groups().of(decode);
  least_.resize(std::max(least_.size(), groups.size()));
  loop(scan.table.columns(), scan.ask, groups, depths_.data(), scores_.data(), least_.data());
  Collect(scan, groups, count, /*with_avoided=*/false);
  if (best_.empty() && !avoid_.empty()) Collect(scan, groups, count, /*with_avoided=*/true);
}

void CandidateFinder::Collect(const Scan& scan, std::span<const std::uint16_t> groups,
                              std::size_t count, bool with_avoided) {
  const SlotGroups& all = scan.index.groups();
  const bool by_domain = all.domains() > 1 && count == kBest;
  best_.clear();
  domains_.resize(std::max(domains_.size(), by_domain ? all.domains() : 0));
  for (std::vector<Entry>& domain : domains_) domain.clear();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (least_[g] == kNobody) continue;
    const bool good = best_.size() < count || least_[g] < best_.back().score;
    std::vector<Entry>* domain =
        by_domain ? &domains_[all.groups()[groups[g]].kind.domain] : nullptr;
    const bool near =
        domain != nullptr && (domain->size() < kDomainBest || least_[g] < domain->back().score);
    if (!good && !near) continue;
    const std::size_t first = SlotGroups::kGroup * groups[g];
    for (std::size_t s = first; s < first + SlotGroups::kGroup; ++s) {
      const Entry entry{scores_[s], static_cast<Slot>(s)};
      if (entry.score == kNobody || (!with_avoided && Avoided(entry.slot))) continue;
      Offer(best_, count, entry);
      if (near) Offer(*domain, kDomainBest, entry);
    }
  }
  const std::size_t global = best_.size();
  for (const std::vector<Entry>& domain : domains_) {
    for (const Entry entry : domain) {
      const auto end = best_.begin() + static_cast<std::ptrdiff_t>(global);
      const bool known = std::any_of(best_.begin(), end,
                                     [entry](Entry other) { return other.slot == entry.slot; });
      if (!known) best_.push_back(entry);
    }
  }
}

void CandidateFinder::FindPrefill(Scan scan) {
  scan.ask.pages_needed = PagesFor(scan.route.prompt_tokens, scan.route.page_tokens);
  Best(scan, loops_.prefill, /*decode=*/false, CountOf(scan));
  for (const Entry entry : best_) {
    found_.prefill.push_back(
        scan.table.PrefillAt(entry.slot, HeldTokens(scan, entry.slot), scan.now));
  }
}

// The far wire behind the best prefill worker stands for the wire; the exact one is a pair's.
void CandidateFinder::FindDecode(Scan scan) {
  const PrefillOption& p = found_.prefill.front();
  const RouteSide side = SideOf(scan.route, p);
  scan.ask.pages_needed = PagesFor(scan.route.prompt_tokens + 1, scan.route.page_tokens);
  scan.ask.chunks = static_cast<float>(side.chunks);
  scan.ask.hidden_seconds = static_cast<float>(side.compute * (1 - 1 / side.chunks));
  Best(scan, loops_.decode, /*decode=*/true, CountOf(scan));
  for (const Entry entry : best_) {
    found_.decode.push_back(
        scan.table.DecodeAt(entry.slot, HeldTokens(scan, entry.slot), scan.now));
  }
}

// Which decode workers may run the prompt. While prefill workers are up and the configuration sets
// no bound: those that hold more of it than the best prefill workers do, as after a turn of the
// conversation whose answer they wrote; the cost decides among what remains.
void CandidateFinder::FindAlone(Scan scan, const RouterOptions& options) {
  if (!found_.alone && options.local_prefill_tokens_max == 0) return;
  int least = 0;
  if (!found_.alone && options.local_prefill_tokens_max >= 0) {
    least = scan.route.prompt_tokens - options.local_prefill_tokens_max;
  } else if (!found_.alone) {
    for (const PrefillOption& p : found_.prefill) least = std::max(least, p.held_tokens);
    ++least;
  }
  if (match_.deepest() * static_cast<float>(scan.route.page_tokens) < static_cast<float>(least)) {
    return;
  }
  scan.ask.pages_needed = PagesFor(scan.route.prompt_tokens + 1, scan.route.page_tokens);
  scan.ask.held_at_least = static_cast<float>(least);
  Best(scan, loops_.alone, /*decode=*/true, found_.alone ? CountOf(scan) : kAloneBest);
  for (const Entry entry : best_) {
    DecodeOption option = scan.table.DecodeAt(entry.slot, HeldTokens(scan, entry.slot), scan.now);
    option.may_run_prompt = true;
    const auto known =
        std::find_if(found_.decode.begin(), found_.decode.end(),
                     [&option](const DecodeOption& d) { return d.link == option.link; });
    if (known != found_.decode.end()) {
      known->may_run_prompt = true;
    } else {
      found_.decode.push_back(option);
    }
  }
}

std::size_t CandidateFinder::CountOf(const Scan& scan) {
  return scan.query.everybody ? scan.table.size() : kBest;
}

bool NobodyPrefills(const RouteTable& table, Instant now) {
  for (std::size_t s = 0; s < table.size(); ++s) {
    const RouteRow& row = table.At(static_cast<Slot>(s));
    if (!row.decode && IsReady(row, now)) return false;
  }
  return true;
}

CandidatesVerdict VerdictOf(const RouteTable& table, const RouterOptions& options,
                            int prompt_tokens, int page_tokens, bool alone_allowed, Instant now) {
  const float pages = PagesFor(prompt_tokens, page_tokens);
  const float decode_pages = PagesFor(prompt_tokens + 1, page_tokens);
  const double backlog_max = ToSeconds(options.backlog_max);
  bool up[2] = {false, false};
  bool fits[2] = {false, false};
  bool free[2] = {false, false};
  const bool alone = NobodyPrefills(table, now);
  for (std::size_t s = 0; s < table.size(); ++s) {
    const RouteRow& row = table.At(static_cast<Slot>(s));
    if (!IsReady(row, now)) continue;
    const int role = row.decode ? 1 : 0;
    up[role] = true;
    if ((row.decode ? decode_pages : pages) > row.pool_pages) continue;
    fits[role] = true;
    const bool queue = QueueSeconds(row, now) <= backlog_max;
    const bool room = decode_pages <= row.room_pages;
    free[role] = free[role] || (row.decode ? room && (queue || !alone) : queue);
  }
  if (!up[1] || (alone && !alone_allowed)) return CandidatesVerdict::kNoWorker;
  if (!fits[1] || (!alone && !fits[0])) return CandidatesVerdict::kNeverFits;
  if (!free[1] || (!alone && !free[0])) return CandidatesVerdict::kFull;
  return CandidatesVerdict::kSome;
}

}  // namespace baton
