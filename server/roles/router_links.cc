#include "server/roles/router_links.h"

#include <algorithm>

#include "base/log.h"
#include "server/link_limits.h"

namespace baton {

std::optional<RouterNews> NewsOf(const WorkerLinkEvent& event) {
  switch (event.kind) {
    case LinkEventKind::kUp:
      return RouterNews{event.link, RouterNews::Kind::kUp, event.address};
    case LinkEventKind::kLost:
      return RouterNews{event.link, RouterNews::Kind::kLost, event.reason};
    case LinkEventKind::kMessage:
      break;
  }
  if (event.message.has_welcome()) return RouterNews{event.link, RouterNews::Kind::kWelcome, ""};
  if (!event.message.has_refused()) return std::nullopt;
  return RouterNews{event.link, RouterNews::Kind::kRefused, event.message.refused().message()};
}

void RouterLinks::Hear(const RouterNews& news, Instant now) {
  std::lock_guard lock(mutex_);
  Link& link = links_[news.link];
  switch (news.kind) {
    case RouterNews::Kind::kUp:
      link.address = news.text;
      return;
    case RouterNews::Kind::kWelcome:
      link.welcome = true;
      refusal_.clear();
      BATON_INFO("linked to router %s", link.address);
      return;
    case RouterNews::Kind::kRefused:
      // It dials again, and hears the same again.
      if (news.text == refusal_ && now < tell_again_at_) return;
      refusal_ = news.text;
      tell_again_at_ = now + kLinkTellEvery;
      BATON_ERROR("refused by router %s: %s", link.address, news.text);
      return;
    case RouterNews::Kind::kLost:
      if (!news.text.empty()) {
        BATON_WARN("link to router %s lost: %s", link.address, news.text);
      } else if (link.welcome) {
        BATON_INFO("router %s left", link.address);
      }
      links_.erase(news.link);
      return;
  }
}

bool RouterLinks::any() const {
  std::lock_guard lock(mutex_);
  return std::any_of(links_.begin(), links_.end(),
                     [](const auto& entry) { return entry.second.welcome; });
}

}  // namespace baton
