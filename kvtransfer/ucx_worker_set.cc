#include "kvtransfer/ucx_worker_set.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "kvtransfer/ucx_status.h"

namespace baton {

UcxWorkerSet::UcxWorkerSet() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

UcxWorkerSet::~UcxWorkerSet() {
  if (epoll_ >= 0) close(epoll_);
}

absl::Status UcxWorkerSet::Add(UcxWorker& worker) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, worker.wake_fd(), &event) != 0) {
    return absl::UnavailableError("file descriptors have run out: raise the limit of the process");
  }
  workers_.push_back(&worker);
  return absl::OkStatus();
}

void UcxWorkerSet::Remove(UcxWorker& worker) {
  const auto found = std::find(workers_.begin(), workers_.end(), &worker);
  if (found == workers_.end()) return;
  workers_.erase(found);
  epoll_event none{};
  epoll_ctl(epoll_, EPOLL_CTL_DEL, worker.wake_fd(), &none);
}

bool UcxWorkerSet::Arm() {
  for (UcxWorker* worker : workers_) {
    const ucs_status_t status = ucp_worker_arm(worker->get());
    if (status == UCS_OK) continue;
    if (status != UCS_ERR_BUSY) BATON_WARN("transfer wake-up: ucx says %s", UcxStatusName(status));
    return false;
  }
  return true;
}

}  // namespace baton
