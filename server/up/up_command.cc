#include "server/up/up_command.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "base/time.h"
#include "server/roles/memory_plan.h"
#include "server/roles/signals.h"
#include "server/roles/wire_check.h"
#include "server/up/child.h"
#include "server/up/cluster_plan.h"
#include "server/up/http_probe.h"
#include "server/up/shm_room.h"

namespace baton {
namespace {

constexpr Duration kBackoffMin = Milliseconds(500);
constexpr Duration kBackoffMax = std::chrono::seconds(10);
constexpr Duration kProbePeriod = Milliseconds(20);
constexpr Duration kProbePatience = Milliseconds(500);
constexpr Duration kStartPatience = std::chrono::minutes(30);  // a large checkpoint is read
constexpr Duration kLongLife = std::chrono::seconds(30);       // resets the back-off

Instant Now() { return std::chrono::steady_clock::now(); }

struct Member {
  PlannedRole role;
  std::optional<Child> child;
  Instant started{};
  Instant restart_at = kNever;
  Duration backoff = kBackoffMin;
};

class Cluster {
 public:
  Cluster(std::vector<PlannedRole> roles, bool restart, int drain_seconds)
      : restart_(restart), drain_(std::chrono::seconds(drain_seconds)) {
    for (PlannedRole& role : roles)
      members_.push_back({std::move(role), {}, {}, kNever, kBackoffMin});
    const sigset_t signals = EndingSignals();
    signal_fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  }
  ~Cluster() { close(signal_fd_); }

  int Run(const TransferConfig& transfer) {
    for (Member& member : members_) {
      if (absl::Status started = Start(member); !started.ok()) {
        std::fprintf(stderr, "error: %s\n", std::string(started.message()).c_str());
        return Stop(1);
      }
      PrintMember("", member);
    }
    if (!PrintWire(transfer)) return Stop(1);
    if (!WaitUntilReady()) return Stop(stopping_ ? 0 : 1);
    std::printf("ready http://127.0.0.1:%d\n", members_.front().role.http_port);
    std::fflush(stdout);
    while (!stopping_) {
      WaitForNews(NextRestart());
      for (Member& member : members_) Look(member);
    }
    return Stop(0);
  }

 private:
  /// While the workers load: which wire carries pages between two processes' ends here. False when
  /// none does.
  bool PrintWire(const TransferConfig& transfer) const {
    const bool hands_over = std::any_of(members_.begin(), members_.end(), [](const Member& member) {
      return absl::StartsWith(member.role.name, "prefill");
    });
    if (!hands_over) return true;
    const absl::StatusOr<SelftestReport> found = FindWire(transfer);
    if (found.ok() && found->peer.wire == "shm") {
      if (absl::Status room = CheckShmRoom(Pairs(), FreeShmBytes()); !room.ok()) {
        std::fprintf(stderr, "error: %s\n", std::string(room.message()).c_str());
        return false;
      }
    }
    if (found.ok()) {
      std::printf("pages travel over %s (%s messages)\n", found->peer.wire.c_str(),
                  found->peer.engine.c_str());
    } else {
      std::fprintf(stderr,
                   "error: no wire carries pages between two processes here: %s; make room in "
                   "/dev/shm (df -h /dev/shm), or use TCP alone: --set transfer.transports=[tcp]\n",
                   std::string(found.status().message()).c_str());
    }
    std::fflush(stdout);
    return found.ok();
  }

  /// (prefill, decode) pairs: each may come to hand over.
  int Pairs() const {
    const auto of = [this](const char* role) {
      return std::count_if(members_.begin(), members_.end(), [role](const Member& member) {
        return absl::StartsWith(member.role.name, role);
      });
    };
    return static_cast<int>(of("prefill") * of("decode"));
  }

  static void PrintMember(const char* prefix, const Member& member) {
    const PlannedRole& role = member.role;
    std::printf("%s%-10s pid %-8d http 127.0.0.1:%d", prefix, role.name.c_str(),
                member.child->pid(), role.http_port);
    if (role.taken_port != 0) std::printf(" (port %d is taken)", role.taken_port);
    std::printf("\n");
    std::fflush(stdout);
  }

  absl::Status Start(Member& member) {
    BATON_ASSIGN_OR_RETURN(Child child, Child::Start(member.role.arguments));
    member.child.emplace(std::move(child));
    member.started = Now();
    member.restart_at = kNever;
    return absl::OkStatus();
  }

  /// Probes until every process is ready: each worker let in by the router. False when a role ended
  /// or a signal came.
  bool WaitUntilReady() {
    const Instant deadline = Now() + kStartPatience;
    while (Now() < deadline) {
      WaitForNews(Now() + kProbePeriod);
      if (stopping_) return false;
      for (Member& member : members_) {
        if (!member.child->Ended()) continue;
        std::fprintf(stderr, "error: %s ended while starting (%s); its last lines above say why\n",
                     member.role.name.c_str(), member.child->end().c_str());
        return false;
      }
      if (AllReady()) return true;
    }
    std::fprintf(stderr, "error: the cluster did not become ready\n");
    return false;
  }

  bool AllReady() const {
    return std::all_of(members_.begin(), members_.end(), [](const Member& member) {
      return ProbeHttp(member.role.http_port, "/readyz", kProbePatience) == 200;
    });
  }

  Instant NextRestart() const {
    Instant next = kNever;
    for (const Member& member : members_) next = std::min(next, member.restart_at);
    return next;
  }

  /// Waits for a signal, the end of a child, or `deadline`.
  void WaitForNews(Instant deadline) {
    std::vector<pollfd> fds = {{signal_fd_, POLLIN, 0}};
    for (Member& member : members_) {
      if (!member.child) continue;
      if (!member.child->Ended()) {
        fds.push_back({member.child->ended_fd(), POLLIN, 0});
      } else if (!stopping_ && member.restart_at == kNever) {
        deadline = Now();  // it ended since it was looked at: that is the news
      }
    }
    int wait_ms = 60'000;  // a wait always has a deadline; the caller loops
    if (deadline != kNever) {
      wait_ms = static_cast<int>(std::clamp(ToMilliseconds(deadline - Now()) + 1, 0.0, 60'000.0));
    }
    poll(fds.data(), fds.size(), wait_ms);
    signalfd_siginfo info{};
    while (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) ++signals_;
    stopping_ = signals_ > 0;
  }

  /// Restarts a member that ended, when its time has come.
  void Look(Member& member) {
    if (stopping_) return;
    if (member.child && member.child->Ended() && member.restart_at == kNever) {
      NoteEnd(member);
    }
    if (member.restart_at > Now()) return;
    if (absl::Status started = Start(member); !started.ok()) {
      BATON_ERROR("%s: %s", member.role.name, started.message());
      member.restart_at = Now() + member.backoff;
      return;
    }
    PrintMember("restarted ", member);
  }

  void NoteEnd(Member& member) {
    if (!restart_) {
      BATON_WARN("%s ended (%s); not restarted, as asked", member.role.name, member.child->end());
      member.child.reset();
      return;
    }
    if (Now() - member.started > kLongLife) member.backoff = kBackoffMin;
    BATON_WARN("%s ended (%s); starting it again in %.1f s", member.role.name, member.child->end(),
               ToSeconds(member.backoff));
    member.restart_at = Now() + member.backoff;
    member.backoff = std::min(2 * member.backoff, kBackoffMax);
  }

  /// SIGTERM to the router, then to the prefill workers, then to the rest; each may finish its
  /// work.
  int Stop(int code) {
    for (absl::string_view role : {"router", "prefill", "decode"}) {
      std::vector<Member*> ending;
      for (Member& member : members_) {
        if (absl::StartsWith(member.role.name, role) && member.child && !member.child->Ended()) {
          member.child->Signal(SIGTERM);
          ending.push_back(&member);
        }
      }
      if (!WaitForEnds(ending)) code = 1;
    }
    return code;
  }

  /// False when they had to be killed: the drain's time was up, or a second signal came.
  bool WaitForEnds(const std::vector<Member*>& ending) {
    const int signals_before = signals_;
    const Instant deadline = Now() + drain_ + std::chrono::seconds(5);
    const auto running = [&ending] {
      return std::any_of(ending.begin(), ending.end(),
                         [](Member* m) { return !m->child->Ended(); });
    };
    while (running() && Now() < deadline && (signals_ == signals_before || signals_ < 2)) {
      WaitForNews(std::min(deadline, Now() + std::chrono::seconds(1)));
    }
    const bool orderly = !running();
    for (Member* member : ending) {
      if (!member->child->Ended()) member->child->Signal(SIGKILL);
    }
    while (running()) WaitForNews(Now() + std::chrono::seconds(1));
    return orderly;
  }

  const bool restart_;
  const Duration drain_;
  std::vector<Member> members_;
  int signal_fd_ = -1;
  int signals_ = 0;
  bool stopping_ = false;
};

unsigned WorkersOf(const UpOptions& up) {
  return static_cast<unsigned>(up.prefill_workers + up.decode_workers);
}

}  // namespace

int RunUp(const LoadedConfig& loaded, const CommandLine& command_line) {
  absl::StatusOr<MemoryPlan> plan = PlanMemory(loaded.config);
  if (!plan.ok()) {
    std::fprintf(stderr, "error: %s\n", std::string(plan.status().message()).c_str());
    return kExitInvalid;
  }
  const bool shared = loaded.config.cache.pages == 0;
  if (shared) plan->pages = std::max(1U, plan->pages / WorkersOf(command_line.up));
  const auto roles =
      PlanCluster(loaded, command_line, {PortIsFree, AnyFreePort}, shared ? plan->pages : 0);
  if (!roles.ok()) {
    std::fprintf(stderr, "error: %s\n", std::string(roles.status().message()).c_str());
    return kExitInvalid;
  }
  std::printf("memory of each worker: %s\n", Describe(*plan).c_str());
  std::fflush(stdout);
  const Signals blocked;  // the cluster reads them from a descriptor
  const DrainConfig& drain = loaded.config.server.drain;
  Cluster cluster(*roles, command_line.up.restart, drain.grace_seconds + drain.timeout_seconds);
  return cluster.Run(loaded.config.transfer);
}

}  // namespace baton
