// All workers of one transport, progressed in turn and waited for together.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "kvtransfer/ucx_worker.h"

namespace baton {

class UcxWorkerSet {
 public:
  /// Errors come with the first Add.
  UcxWorkerSet();
  ~UcxWorkerSet();
  UcxWorkerSet(const UcxWorkerSet&) = delete;
  UcxWorkerSet& operator=(const UcxWorkerSet&) = delete;

  /// The worker stays its owner's, who removes it before it dies. Errors: Unavailable (descriptors
  /// have run out).
  absl::Status Add(UcxWorker& worker);
  void Remove(UcxWorker& worker);

  /// Progresses the workers in turn until all have nothing left or `enough()` says so, which is
  /// asked after every call that did something.
  template <typename Enough>
  void Progress(const Enough& enough) {
    for (std::size_t idle = 0; idle < workers_.size();) {
      next_ = next_ + 1 < workers_.size() ? next_ + 1 : 0;
      if (ucp_worker_progress(workers_[next_]->get()) == 0) {
        ++idle;
        continue;
      }
      idle = 0;
      if (enough()) return;
    }
  }

  /// An epoll descriptor over all workers.
  int wake_fd() const { return epoll_; }

  /// False when some worker has work.
  bool Arm();

 private:
  int epoll_ = -1;
  std::vector<UcxWorker*> workers_;
  std::size_t next_ = 0;
};

}  // namespace baton
