// Holds the tree to its style: what a compiler and clang-format do not see. Each rule is a function
// from sources to complaints; a complaint names file:line and what to do instead. kMayInclude is
// the architecture: change it only together with ARCHITECTURE.md. The rules have tests of their own
// below.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/metric_names.h"
#include "gtest/gtest.h"

namespace baton {
namespace {

namespace fs = std::filesystem;
using Rooms = std::set<std::string>;
using Complaints = std::vector<std::string>;

// A room may include itself and the rooms named here; tests may include all.
const std::map<std::string, Rooms> kMayInclude = {
    {"base", {}},
    {"config", {"base"}},
    {"proto", {"base"}},
    {"scheduling", {"base"}},
    {"kvcache", {"base", "config", "proto"}},
    {"kernels", {"base"}},
    {"kvtransfer", {"base", "config", "kvcache", "proto", "scheduling"}},
    {"engine", {"base", "config", "kvcache", "kernels", "scheduling"}},
    {"router", {"base", "config", "kvcache", "proto", "scheduling"}},
    {"prefill", {"base", "config", "kvcache", "kvtransfer", "engine", "proto", "scheduling"}},
    {"decode", {"base", "config", "kvcache", "kvtransfer", "engine", "proto", "scheduling"}},
    {"server",
     {"base", "config", "kvcache", "kvtransfer", "engine", "router", "prefill", "decode", "proto",
      "scheduling"}},
};

// A package's headers may be included only by files whose path begins so.
struct Door {
  std::string include;
  std::vector<std::string> paths;
};
const std::vector<Door> kDoors = {
    {"<yaml-cpp/", {"config/load"}},
    {"<spdlog/", {"base/log.cc"}},
    {"<prometheus/", {"base/metrics.cc"}},
    {"<nlohmann/", {"base/json.cc"}},
    {"<ucp/", {"kvtransfer/ucx_"}},
    {"<uct/", {"kvtransfer/ucx_"}},
    {"<ucs/", {"kvtransfer/ucx_"}},
    {"<grpc", {"server/"}},
    {"<boost/", {"server/http/"}},
    {"<openssl/", {"base/digest.cc"}},
    {"<pcre2", {"server/text/split_pattern."}},
    {"<immintrin.h>", {"kernels/cpu/"}},
    {"<nmmintrin.h>", {"kvtransfer/copy_crc_sse42.cc"}},
};

constexpr std::size_t kMaxColumns =
    120;  // clang-format breaks code at 100; comments may hold a URL
constexpr std::size_t kMaxLines = 500;
constexpr std::size_t kMaxRoomReadmeLines = 15;
constexpr std::size_t kMaxBaseHeaders = 12;

// Words that must not be checked in, and what to write instead. Split so that this file passes.
const std::vector<std::pair<std::string, std::string>> kBanned = {
    {"FIX"
     "ME",
     "mend it before it lands"},
    {"TO"
     "DO",
     "do it, or leave it out"},
    {"std::shared"
     "_ptr",
     "one owner: unique_ptr, a value, or an id into the owner's table"},
    {"using namespace"
     " ",
     "spell the namespace"},
    {"sleep"
     "_for",
     "wait on what you wait for, with a deadline"},
    {"volat"
     "ile",
     "std::atomic"},
    {"DISABLED"
     "_",
     "a disabled test is a defect"},
    {"GTEST_FLAG_SET("
     "repeat",
     "a flaky test has a cause"},
};

struct Source {
  std::string path;  // relative to the root
  std::vector<std::string> lines;

  std::string room() const { return path.substr(0, path.find('/')); }
};

bool IsBuildOutput(const std::string& path) {
  return absl::StartsWith(path, "build") || absl::StartsWith(path, ".git");
}

std::vector<Source> ReadTree(const fs::path& root, const std::set<std::string>& extensions) {
  std::vector<Source> sources;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator();
       ++it) {
    const std::string path = fs::relative(it->path(), root).generic_string();
    if (it->is_directory() && IsBuildOutput(path)) it.disable_recursion_pending();
    if (!extensions.contains(it->path().extension().string())) continue;
    std::stringstream text;
    text << std::ifstream(it->path()).rdbuf();
    sources.push_back({path, absl::StrSplit(text.str(), '\n')});
  }
  std::sort(sources.begin(), sources.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  return sources;
}

void Complain(Complaints& out, const Source& source, std::size_t line, const std::string& what) {
  out.push_back(absl::StrCat(source.path, ":", line + 1, ": ", what));
}

/// The path in `#include "path"`, or "".
std::string Included(const std::string& line) {
  if (!absl::StartsWith(line, "#include \"")) return "";
  return line.substr(10, line.rfind('"') - 10);
}

void CheckLayers(const Source& source, Complaints& out) {
  const auto allowed = kMayInclude.find(source.room());
  if (allowed == kMayInclude.end()) return;
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    const std::string path = Included(source.lines[i]);
    const std::string room = path.substr(0, path.find('/'));
    if (room == "tests") Complain(out, source, i, "the product may not include tests");
    if (!kMayInclude.contains(room) || room == source.room()) continue;
    if (!allowed->second.contains(room)) {
      Complain(out, source, i, absl::StrCat(source.room(), " may not include ", path));
    }
  }
}

void CheckDoors(const Source& source, Complaints& out) {
  if (source.room() == "tests") return;
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    if (!absl::StartsWith(source.lines[i], "#include <")) continue;
    for (const Door& door : kDoors) {
      if (!absl::StrContains(source.lines[i], door.include)) continue;
      const bool allowed = std::any_of(
          door.paths.begin(), door.paths.end(),
          [&source](const std::string& path) { return absl::StartsWith(source.path, path); });
      if (!allowed) {
        Complain(out, source, i,
                 absl::StrCat(door.include, " has one door: ", absl::StrJoin(door.paths, ", ")));
      }
    }
  }
}

void CheckSize(const Source& source, Complaints& out) {
  if (source.lines.size() > kMaxLines) {
    Complain(out, source, kMaxLines, "file too long: split it by idea");
  }
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    if (source.lines[i].size() > kMaxColumns && !absl::StrContains(source.lines[i], "https://") &&
        !absl::StrContains(source.lines[i], "MetricSpec")) {
      Complain(out, source, i, absl::StrCat("line over ", kMaxColumns, " columns"));
    }
  }
}

void CheckBanned(const Source& source, Complaints& out) {
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    for (const auto& [word, instead] : kBanned) {
      if (absl::StrContains(source.lines[i], word)) {
        Complain(out, source, i, absl::StrCat(word, " is banned: ", instead));
      }
    }
  }
}

void CheckHeader(const Source& source, Complaints& out) {
  if (!absl::EndsWith(source.path, ".h")) return;
  if (!absl::StartsWith(source.lines.front(), "// ")) {
    Complain(out, source, 0, "a header opens with a comment that says what it is");
  }
  std::size_t i = 0;
  while (i < source.lines.size() && absl::StartsWith(source.lines[i], "//")) ++i;
  if (i == source.lines.size() || source.lines[i] != "#pragma once") {
    Complain(out, source, i, "#pragma once follows the opening comment");
  }
}

/// Headers that nothing includes: dead code.
void CheckDeadHeaders(const std::vector<Source>& sources, Complaints& out) {
  std::set<std::string> included;
  for (const Source& source : sources) {
    for (const std::string& line : source.lines) included.insert(Included(line));
  }
  for (const Source& source : sources) {
    if (absl::EndsWith(source.path, ".h") && !included.contains(source.path)) {
      Complain(out, source, 0, "no file includes this header");
    }
  }
}

/// A metric in the table that no code counts would be exported as nothing, or as a lie.
void CheckMetricsAreCounted(const std::vector<Source>& sources, Complaints& out) {
  std::string table;
  std::string code;
  for (const Source& source : sources) {
    if (source.room() == "tests") continue;
    (source.path == "base/metric_names.h" ? table : code) += absl::StrJoin(source.lines, "\n");
  }
  for (absl::string_view piece : absl::StrSplit(table, "inline constexpr MetricSpec ")) {
    const std::string name(piece.substr(0, piece.find('{')));
    if (!absl::StartsWith(name, "k") || name.size() > 60) continue;
    if (!absl::StrContains(code, absl::StrCat("metric::", name))) {
      out.push_back(absl::StrCat("base/metric_names.h: nobody counts ", name));
    }
  }
}

// Words of places where the project is made, which it never speaks of. Split as above.
const std::vector<std::string> kForeign = {
    "/work"
    "/",
    "../sha"
    "red",
    "help"
    "er-",
    "deb.debian"
    ".org",
    "pypi"
    ".org"};

void CheckSpeaksOfItselfAlone(const Source& source, Complaints& out) {
  for (std::size_t i = 0; i < source.lines.size(); ++i) {
    for (const std::string& word : kForeign) {
      if (absl::StrContains(source.lines[i], word)) {
        Complain(out, source, i, absl::StrCat("the project does not speak of ", word));
      }
    }
  }
}

const std::set<std::string> kCode = {".h", ".cc", ".cu"};

TEST(TidyTest, TreeFollowsTheStyle) {
  const std::vector<Source> sources = ReadTree(BATON_SOURCE_DIR, kCode);
  ASSERT_GT(sources.size(), 20U) << "the tree was not found";
  Complaints complaints;
  for (const Source& source : sources) {
    CheckLayers(source, complaints);
    CheckDoors(source, complaints);
    CheckSize(source, complaints);
    CheckBanned(source, complaints);
    CheckHeader(source, complaints);
    CheckSpeaksOfItselfAlone(source, complaints);
  }
  CheckDeadHeaders(sources, complaints);
  CheckMetricsAreCounted(sources, complaints);
  EXPECT_TRUE(complaints.empty()) << absl::StrJoin(complaints, "\n");
}

TEST(TidyTest, DocumentsSpeakOfTheProjectAlone) {
  Complaints complaints;
  for (const Source& source :
       ReadTree(BATON_SOURCE_DIR, {".md", ".py", ".sh", ".yaml", ".json", ".proto"})) {
    CheckSpeaksOfItselfAlone(source, complaints);
  }
  EXPECT_TRUE(complaints.empty()) << absl::StrJoin(complaints, "\n");
}

TEST(TidyTest, EveryRoomHasAShortReadme) {
  for (const auto& [room, unused] : kMayInclude) {
    std::stringstream text;
    text << std::ifstream(fs::path(BATON_SOURCE_DIR) / room / "README.md").rdbuf();
    const std::vector<std::string> lines = absl::StrSplit(text.str(), '\n');
    EXPECT_GT(lines.size(), 2U) << room << "/README.md is missing";
    EXPECT_LE(lines.size(), kMaxRoomReadmeLines + 1) << room << "/README.md";
  }
}

TEST(TidyTest, BaseStaysSmall) {
  std::size_t headers = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(BATON_SOURCE_DIR) / "base")) {
    headers += entry.path().extension() == ".h" ? 1 : 0;
  }
  EXPECT_LE(headers, kMaxBaseHeaders);
}

TEST(TidyTest, MetricNamesAreUniqueAndSpelledAsPrometheusWants) {
  std::set<std::string> seen;
  for (const MetricSpec* spec : metric::kAll) {
    const std::string name = spec->name;
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_EQ(spec->type == MetricType::kCounter, absl::EndsWith(name, "_total")) << name;
    EXPECT_FALSE(absl::EndsWith(name, "_ms")) << name << ": seconds";
    EXPECT_EQ(spec->type == MetricType::kHistogram, spec->buckets != MetricBuckets::kNone) << name;
  }
}

// --- the rules themselves

std::string ComplaintsOf(void (*rule)(const Source&, Complaints&), const Source& source) {
  Complaints complaints;
  rule(source, complaints);
  return absl::StrJoin(complaints, "\n");
}

TEST(TidyTest, LayersRefuseAnUpwardInclude) {
  EXPECT_EQ(ComplaintsOf(CheckLayers, {"kvtransfer/a.cc",
                                       {"#include \"engine/step.h\"", "#include \"base/ids.h\""}}),
            "kvtransfer/a.cc:1: kvtransfer may not include engine/step.h");
}

TEST(TidyTest, RouterSeesSchedulingAndNotTheEngine) {
  EXPECT_EQ(ComplaintsOf(CheckLayers,
                         {"router/a.cc",
                          {"#include \"engine/step.h\"", "#include \"scheduling/step_time.h\""}}),
            "router/a.cc:1: router may not include engine/step.h");
}

TEST(TidyTest, ADoorIsRefusedElsewhere) {
  EXPECT_NE(ComplaintsOf(CheckDoors, {"router/a.cc", {"#include <spdlog/spdlog.h>"}}), "");
  EXPECT_EQ(ComplaintsOf(CheckDoors, {"base/log.cc", {"#include <spdlog/spdlog.h>"}}), "");
}

TEST(TidyTest, ABannedWordAndAHeaderWithoutACommentAreFound) {
  EXPECT_NE(ComplaintsOf(CheckBanned, {"a/a.cc",
                                       {"std::shared"
                                        "_ptr<int> p;"}}),
            "");
  EXPECT_NE(ComplaintsOf(CheckHeader, {"a/a.h", {"#pragma once"}}), "");
  EXPECT_EQ(ComplaintsOf(CheckHeader, {"a/a.h", {"// It is a thing.", "#pragma once"}}), "");
}

TEST(TidyTest, ADeadHeaderIsFound) {
  Complaints complaints;
  CheckDeadHeaders({{"a/a.h", {"// x"}}, {"a/b.cc", {"#include \"a/c.h\""}}}, complaints);
  EXPECT_EQ(complaints.size(), 1U);
}

}  // namespace
}  // namespace baton
