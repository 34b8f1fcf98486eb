// What a worker knows, and tells its log, of the routers that it is linked to: who let it in, who
// refused it and why, who left or was lost.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/time.h"
#include "server/link_events.h"

namespace baton {

/// A link's event, as far as it concerns the link itself.
struct RouterNews {
  enum class Kind { kUp, kWelcome, kRefused, kLost };
  LinkId link{};
  Kind kind = Kind::kUp;
  std::string text;  // kUp: the router's address; kRefused, kLost: why ("" = it ended in order)
};

/// Nothing for messages about requests.
std::optional<RouterNews> NewsOf(const WorkerLinkEvent& event);

class RouterLinks {
 public:
  /// Thread: any.
  void Hear(const RouterNews& news, Instant now);

  /// True while a router has let this worker in. Thread: any.
  bool any() const;

 private:
  struct Link {
    std::string address;
    bool welcome = false;
  };

  mutable std::mutex mutex_;
  std::map<LinkId, Link> links_;
  std::string refusal_;  // the last one told
  Instant tell_again_at_{};
};

}  // namespace baton
