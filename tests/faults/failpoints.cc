#include "tests/faults/failpoints.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/time.h"

namespace baton {
namespace {

constexpr Duration kStandMax = std::chrono::seconds(10);
constexpr int kPollMs = 100;
constexpr std::size_t kMeal = std::size_t{1} << 20;
constexpr int kMealsMax = 256;

int Dial(const std::string& path) {
  const int dialled = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  BATON_CHECK(path.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.data(), path.size());
  BATON_CHECK(connect(dialled, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  return dialled;
}

/// The test has put a limit on this process; it does not come back.
void EatMemory() {
  std::vector<std::vector<char>> meals;
  for (int i = 0; i < kMealsMax; ++i) meals.emplace_back(kMeal, 'x');
}

}  // namespace

Failpoints::Failpoints(const std::string& socket_path) {
  if (socket_path.empty()) return;
  socket_ = Dial(socket_path);
  Tell(absl::StrCat("hello ", getpid()));
  // The role reads its signals itself: none may reach this thread, which is older than the role.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  listener_ = std::jthread([this](const std::stop_token& stop) { Listen(stop); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Failpoints::~Failpoints() {
  listener_ = {};  // asks it to stop, and waits
  if (socket_ >= 0) close(socket_);
}

void Failpoints::Tell(absl::string_view line) const {
  const std::string bytes = absl::StrCat(line, "\n");
  // A test that has gone hears nothing; the role goes on.
  [[maybe_unused]] const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void Failpoints::Listen(const std::stop_token& stop) {
  std::string heard;
  char buffer[4096];
  while (!stop.stop_requested()) {
    pollfd waiting{socket_, POLLIN, 0};
    if (poll(&waiting, 1, kPollMs) <= 0) continue;
    const ssize_t read = recv(socket_, buffer, sizeof(buffer), 0);
    if (read <= 0) return Obey("go");  // the test has gone
    heard.append(buffer, static_cast<std::size_t>(read));
    for (std::size_t end = heard.find('\n'); end != std::string::npos; end = heard.find('\n')) {
      Obey(heard.substr(0, end));
      heard.erase(0, end + 1);
    }
  }
}

void Failpoints::Obey(absl::string_view line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  if (words[0] == "eat") return EatMemory();
  const std::lock_guard lock(mutex_);
  if (words[0] == "arm") {
    BATON_CHECK(words.size() == 3 && absl::SimpleAtoi(words[2], &passes_left_[words[1]]));
    return;
  }
  BATON_CHECK(words[0] == "go");
  passes_left_.clear();
  ++releases_;
  released_.notify_all();
}

void Failpoints::Pass(absl::string_view point) {
  std::unique_lock lock(mutex_);
  const auto armed = passes_left_.find(std::string(point));
  if (armed == passes_left_.end() || --armed->second > 0) return;
  passes_left_.erase(armed);
  Tell(absl::StrCat("at ", point));
  const std::uint64_t before = releases_;
  released_.wait_for(lock, kStandMax, [&] { return releases_ != before; });
}

}  // namespace baton
