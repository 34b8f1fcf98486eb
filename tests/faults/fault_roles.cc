#include "tests/faults/fault_roles.h"

#include <utility>

#include "tests/faults/fault_transport.h"

namespace baton {
namespace {

class FaultExecutor final : public Executor {
 public:
  FaultExecutor(std::unique_ptr<Executor> device, Failpoints& points)
      : device_(std::move(device)), points_(points) {}

  absl::Status Launch(Step step) override {
    absl::Status launched = device_->Launch(std::move(step));
    points_.Pass("launched");
    return launched;
  }
  absl::StatusOr<std::optional<StepResult>> TryCollect() override {
    auto result = device_->TryCollect();
    if (result.ok() && result->has_value()) points_.Pass("collected");
    return result;
  }
  int max_in_flight() const override { return device_->max_in_flight(); }

 private:
  const std::unique_ptr<Executor> device_;
  Failpoints& points_;
};

}  // namespace

RoleSeams FaultSeams(Failpoints& points, bool puts) {
  RoleSeams seams;
  seams.transport = [&points, puts](std::unique_ptr<Transport> wire,
                                    const KvArena& pages) -> std::unique_ptr<Transport> {
    return std::make_unique<FaultTransport>(std::move(wire), pages, points, puts);
  };
  seams.executor = [&points](std::unique_ptr<Executor> device) -> std::unique_ptr<Executor> {
    return std::make_unique<FaultExecutor>(std::move(device), points);
  };
  seams.say = [&points](WorkerLinkSend send) -> WorkerLinkSend {
    return [&points, send = std::move(send)](LinkId link, link::WorkerMessage&& message) {
      const bool tokens = message.kind_case() == link::WorkerMessage::kTokens;
      send(link, std::move(message));
      if (tokens) points.Pass("said.tokens");
    };
  };
  return seams;
}

}  // namespace baton
