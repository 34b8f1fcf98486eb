// The link between routers and workers, over real gRPC on loopback.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bounded_queue.h"
#include "server/link_client.h"
#include "server/link_service.h"
#include "tests/server/frozen_proxy.h"

namespace baton {
namespace {

using Clock = std::chrono::steady_clock;

// Events of one end, taken one by one.
template <typename Event>
class EventLog {
 public:
  std::function<bool(Event&&)> Sink() {
    return [this](Event&& event) { return queue_.TryPush(std::move(event)); };
  }

  /// The next event, or nothing after `wait`.
  std::optional<Event> Next(Duration wait = std::chrono::seconds(10)) {
    const Instant deadline = Clock::now() + wait;
    while (taken_ == events_.size() && Clock::now() < deadline) {
      queue_.WaitUntil(deadline);
      queue_.DrainTo(events_);
    }
    if (taken_ == events_.size()) return std::nullopt;
    return events_[taken_++];
  }

  /// The next event of this kind; others are passed over.
  std::optional<Event> NextOf(LinkEventKind kind, Duration wait = std::chrono::seconds(10)) {
    const Instant deadline = Clock::now() + wait;
    for (;;) {
      auto event = Next(deadline - Clock::now());
      if (!event || event->kind == kind) return event;
    }
  }

 private:
  BoundedQueue<Event> queue_{64};
  std::vector<Event> events_;
  std::size_t taken_ = 0;
};

link::WorkerMessage RegisterOf(const std::string& worker_id) {
  link::WorkerMessage message;
  message.mutable_register_()->set_worker_id(worker_id);
  return message;
}

link::WorkerMessage LoadOf(std::uint64_t number) {
  link::WorkerMessage message;
  message.mutable_load()->set_number(number);
  return message;
}

link::RouterMessage CancelOf(std::uint32_t attempt) {
  link::RouterMessage message;
  message.mutable_cancel()->set_attempt(attempt);
  return message;
}

class LinkTest : public ::testing::Test {
 protected:
  void StartService(int port = 0) {
    auto service =
        LinkService::Start({.host = "127.0.0.1", .port = port, .links_max = 4}, router_.Sink());
    ASSERT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
  }
  void StartClient(const std::string& endpoint) {
    auto client = LinkClient::Start({.endpoints = {endpoint}, .seed = 1}, worker_.Sink());
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  void StartClient(int port) { StartClient(absl::StrCat("127.0.0.1:", port)); }

  // Both ends up and registered.
  void Connect() {
    const auto up = worker_.NextOf(LinkEventKind::kUp);
    ASSERT_TRUE(up.has_value());
    worker_link_ = up->link;
    client_->Send(worker_link_, RegisterOf("prefill-0"));
    const auto registered = router_.NextOf(LinkEventKind::kUp);
    ASSERT_TRUE(registered.has_value());
    EXPECT_EQ(registered->message.register_().worker_id(), "prefill-0");
    router_link_ = registered->link;
  }

  EventLog<RouterLinkEvent> router_;
  EventLog<WorkerLinkEvent> worker_;
  std::unique_ptr<LinkService> service_;
  std::unique_ptr<LinkClient> client_;
  LinkId router_link_{};
  LinkId worker_link_{};
};

TEST_F(LinkTest, AddressesOffLoopbackAreRefused) {
  const auto service = LinkService::Start({.host = "0.0.0.0"}, router_.Sink());
  EXPECT_EQ(service.status().code(), absl::StatusCode::kInvalidArgument);
  const auto client = LinkClient::Start({.endpoints = {"192.0.2.1:7500"}}, worker_.Sink());
  EXPECT_EQ(client.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LinkTest, AnEndpointWithoutPortIsRefused) {
  for (const char* endpoint : {"127.0.0.1", "127.0.0.1:", "127.0.0.1:0", ":7500", "host:70000"}) {
    const auto client = LinkClient::Start({.endpoints = {endpoint}}, worker_.Sink());
    EXPECT_EQ(client.status().code(), absl::StatusCode::kInvalidArgument) << endpoint;
  }
}

TEST_F(LinkTest, ATakenPortIsAnError) {
  StartService();
  const auto second = LinkService::Start({.port = service_->port()}, router_.Sink());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(LinkTest, AStreamThatDoesNotBeginWithRegisterIsBroken) {
  StartService();
  StartClient(service_->port());
  const auto up = worker_.NextOf(LinkEventKind::kUp);
  ASSERT_TRUE(up.has_value());
  client_->Send(up->link, LoadOf(1));
  EXPECT_TRUE(worker_.NextOf(LinkEventKind::kLost).has_value());
  EXPECT_FALSE(router_.Next(Milliseconds(50)).has_value());
}

TEST_F(LinkTest, MessagesArriveInOrderBothWays) {
  StartService();
  StartClient(service_->port());
  ASSERT_NO_FATAL_FAILURE(Connect());
  constexpr std::uint32_t kMessages = 1000;
  for (std::uint32_t i = 1; i <= kMessages; ++i) {
    client_->Send(worker_link_, LoadOf(i));
    service_->Send(router_link_, CancelOf(i));
  }
  for (std::uint32_t i = 1; i <= kMessages; ++i) {
    const auto load = router_.Next();
    ASSERT_TRUE(load.has_value());
    ASSERT_EQ(load->message.load().number(), i);
    const auto cancel = worker_.Next();
    ASSERT_TRUE(cancel.has_value());
    ASSERT_EQ(cancel->message.cancel().attempt(), i);
  }
}

TEST_F(LinkTest, ASnapshotOfAMillionKeysArrivesWhole) {
  StartService();
  StartClient(service_->port());
  ASSERT_NO_FATAL_FAILURE(Connect());
  constexpr int kKeys = 1'000'000;
  link::WorkerMessage message;
  for (int i = 0; i < kKeys; ++i) {
    message.mutable_cache_events()->add_stored(static_cast<std::uint64_t>(i));
  }
  client_->Send(worker_link_, std::move(message));
  const auto event = router_.Next();
  ASSERT_TRUE(event.has_value());
  ASSERT_EQ(event->message.cache_events().stored_size(), kKeys);
  EXPECT_EQ(event->message.cache_events().stored(kKeys - 1), static_cast<std::uint64_t>(kKeys - 1));
}

TEST_F(LinkTest, ARefusalArrivesBeforeTheLinkEnds) {
  StartService();
  StartClient(service_->port());
  ASSERT_NO_FATAL_FAILURE(Connect());
  link::RouterMessage refused;
  refused.mutable_refused()->set_message("kv_dtype: mine bf16, yours fp32");
  service_->Send(router_link_, std::move(refused));
  const auto told = worker_.Next();
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->message.refused().message(), "kv_dtype: mine bf16, yours fp32");
  EXPECT_TRUE(worker_.NextOf(LinkEventKind::kLost).has_value());
  EXPECT_TRUE(router_.NextOf(LinkEventKind::kLost).has_value());
}

TEST_F(LinkTest, AKilledStreamIsLostAtBothEndsAndDialledAgain) {
  StartService();
  StartClient(service_->port());
  ASSERT_NO_FATAL_FAILURE(Connect());
  const LinkId first = router_link_;
  service_->Close(router_link_);
  EXPECT_EQ(router_.NextOf(LinkEventKind::kLost)->link, first);
  EXPECT_EQ(worker_.NextOf(LinkEventKind::kLost)->link, worker_link_);
  ASSERT_NO_FATAL_FAILURE(Connect());
  EXPECT_NE(router_link_, first);
}

TEST_F(LinkTest, ARouterThatComesBackIsFoundAgain) {
  StartService();
  const int port = service_->port();
  StartClient(port);
  ASSERT_NO_FATAL_FAILURE(Connect());
  service_.reset();
  EXPECT_TRUE(worker_.NextOf(LinkEventKind::kLost).has_value());
  StartService(port);
  ASSERT_NO_FATAL_FAILURE(Connect());
}

TEST_F(LinkTest, AHostNameIsResolved) {
  StartService();
  StartClient(absl::StrCat("localhost:", service_->port()));
  Connect();
}

TEST_F(LinkTest, LinksBeyondTheBoundAreRefused) {
  StartService();
  std::vector<std::unique_ptr<LinkClient>> clients;
  for (int i = 0; i < 4; ++i) {
    StartClient(service_->port());
    ASSERT_NO_FATAL_FAILURE(Connect());
    clients.push_back(std::move(client_));
  }
  EventLog<WorkerLinkEvent> fifth;
  const auto client = LinkClient::Start(
      {.endpoints = {absl::StrCat("127.0.0.1:", service_->port())}}, fifth.Sink());
  ASSERT_TRUE(client.ok());
  link::WorkerMessage message = RegisterOf("fifth");
  if (const auto up = fifth.Next(Milliseconds(300)); up && up->kind == LinkEventKind::kUp) {
    (*client)->Send(up->link, std::move(message));
  }
  EXPECT_FALSE(router_.NextOf(LinkEventKind::kUp, Milliseconds(300)).has_value());
}

// The sink is full at every other call: reading pauses, and nothing is lost or reordered.
TEST(LinkSinkTest, AFullSinkDelaysAndLosesNothing) {
  BoundedQueue<RouterLinkEvent> queue(100'000);
  std::atomic<int> calls{0};
  auto service = LinkService::Start({}, [&](RouterLinkEvent&& event) {
    if (calls.fetch_add(1) % 2 == 0) return false;
    return queue.TryPush(std::move(event));
  });
  ASSERT_TRUE(service.ok());
  EventLog<WorkerLinkEvent> worker;
  auto client = LinkClient::Start({.endpoints = {absl::StrCat("127.0.0.1:", (*service)->port())}},
                                  worker.Sink());
  ASSERT_TRUE(client.ok());
  const auto up = worker.NextOf(LinkEventKind::kUp);
  ASSERT_TRUE(up.has_value());
  (*client)->Send(up->link, RegisterOf("decode-0"));
  constexpr std::uint64_t kMessages = 100;
  for (std::uint64_t i = 1; i <= kMessages; ++i) (*client)->Send(up->link, LoadOf(i));
  std::vector<RouterLinkEvent> events;
  const Instant deadline = Clock::now() + std::chrono::seconds(10);
  while (events.size() < kMessages + 1 && Clock::now() < deadline) {
    queue.WaitUntil(deadline);
    queue.DrainTo(events);
  }
  ASSERT_EQ(events.size(), kMessages + 1);
  for (std::uint64_t i = 1; i <= kMessages; ++i) EXPECT_EQ(events[i].message.load().number(), i);
}

TEST_F(LinkTest, APeerThatFallsSilentIsNoticedAtBothEnds) {
  StartService();
  FrozenProxy proxy(service_->port());
  StartClient(proxy.port());
  ASSERT_NO_FATAL_FAILURE(Connect());
  const Instant frozen = Clock::now();
  proxy.Freeze(true);
  EXPECT_TRUE(router_.NextOf(LinkEventKind::kLost).has_value());
  EXPECT_TRUE(worker_.NextOf(LinkEventKind::kLost).has_value());
  const double seconds = ToSeconds(Clock::now() - frozen);
  RecordProperty("seconds", absl::StrCat(seconds));
  EXPECT_LT(seconds, 3.0);
}

TEST_F(LinkTest, AnIdleLinkStaysUp) {
  StartService();
  StartClient(service_->port());
  ASSERT_NO_FATAL_FAILURE(Connect());
  EXPECT_FALSE(router_.NextOf(LinkEventKind::kLost, std::chrono::milliseconds(3500)).has_value());
  EXPECT_FALSE(worker_.Next(Milliseconds(1)).has_value());
}

TEST_F(LinkTest, AHopTakesWellUnderAMillisecond) {
  StartService();
  StartClient(service_->port());
  ASSERT_NO_FATAL_FAILURE(Connect());
  std::vector<double> micros;
  for (std::uint32_t i = 1; i <= 400; ++i) {
    const Instant begin = Clock::now();
    client_->Send(worker_link_, LoadOf(i));
    ASSERT_TRUE(router_.Next().has_value());
    service_->Send(router_link_, CancelOf(i));
    ASSERT_TRUE(worker_.Next().has_value());
    micros.push_back(1e6 * ToSeconds(Clock::now() - begin) / 2);
  }
  std::sort(micros.begin(), micros.end());
  std::printf("one hop: p50 %.0f us, p90 %.0f us\n", micros[200], micros[360]);
  EXPECT_LT(micros[200], 1000);
}

}  // namespace
}  // namespace baton
