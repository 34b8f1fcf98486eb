#include "server/up/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"

namespace baton {
namespace {

/// Runs in the child between fork and exec: async-signal-safe calls alone.
[[noreturn]] void Become(char* const* argv, pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);  // it died before the line above took effect
  setpgid(0, 0);                      // Ctrl-C reaches the parent alone, which ends us in order
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
  }
  execv("/proc/self/exe", argv);
  _exit(127);
}

}  // namespace

absl::StatusOr<Child> Child::Start(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"baton"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(argv.data(), parent);
  if (pid < 0) {
    return absl::InternalError(absl::StrFormat("cannot fork: %s", std::strerror(errno)));
  }
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const std::string why = std::strerror(errno);
    kill(pid, SIGKILL);  // nobody would hear of its end
    waitpid(pid, nullptr, 0);
    return absl::InternalError(absl::StrFormat("cannot watch process %d: %s", pid, why));
  }
  fcntl(pidfd, F_SETFD, FD_CLOEXEC);
  return Child(pid, pidfd);
}

Child::Child(Child&& other) noexcept { *this = std::move(other); }

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(end_, other.end_);
  return *this;
}

Child::~Child() {
  if (pidfd_ >= 0) close(pidfd_);
}

bool Child::Ended() {
  if (!end_.empty()) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  end_ = WIFSIGNALED(status) ? absl::StrFormat("signal %d", WTERMSIG(status))
                             : absl::StrFormat("exit %d", WEXITSTATUS(status));
  return true;
}

void Child::Signal(int number) const {
  if (end_.empty()) kill(pid_, number);
}

}  // namespace baton
