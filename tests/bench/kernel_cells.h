// The measured shapes: each makes its data, keeps it alive, and can be called again and again.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "kernels/backend.h"

namespace baton::bench {

class Cell {
 public:
  virtual ~Cell() = default;
  const std::string& name() const { return name_; }
  /// Of one call.
  const Cost& cost() const { return cost_; }
  /// `number` chooses among copies of the weights, so that no cache holds those of the last call.
  virtual absl::Status Call(int number) = 0;

 protected:
  std::string name_;
  Cost cost_;
};

/// Makers, run one at a time so that one cell's memory is there at once.
/// Lifetime: backend and stream outlive the cell.
std::vector<std::function<std::unique_ptr<Cell>(const Backend&, Stream&)>> KernelCells();

}  // namespace baton::bench
