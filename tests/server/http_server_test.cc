// The HTTP server over real sockets: framing, limits, streams, clients that leave.
#include "server/http/http_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/http_test_client.h"

namespace baton {
namespace {

using testing::HttpTestClient;
using testing::TestAnswer;

constexpr auto kPatience = std::chrono::seconds(5);

HttpServerOptions SmallLimits() {
  HttpServerOptions options;
  options.limits.request_line_bytes_max = 256;
  options.limits.head_bytes_max = 1024;
  options.limits.head_fields_max = 8;
  options.limits.body_bytes_max = 4096;
  options.limits.sweep_period = Milliseconds(10);
  return options;
}

/// A server with an echo, and a route whose reply the test keeps to stream on.
class HttpServerTest : public ::testing::Test {
 protected:
  void Start(HttpServerOptions options = SmallLimits()) {
    options.on_answer = [this](absl::string_view route, int status) {
      absl::StrAppend(&answers_, route, " ", status, ";");
    };
    server_ = *HttpServer::Listen(std::move(options));
    server_->Route("POST", "/echo", [](HttpRequest request, HttpReply reply) {
      HttpResponse response;
      response.body = absl::StrCat(request.query, "|", request.Header("x-test"), "|", request.body);
      reply.Send(std::move(response));
    });
    server_->Route("GET", "/hold", [this](HttpRequest, HttpReply reply) {
      reply.OnGone([this] { gone_.set_value(); });
      held_.emplace(std::move(reply));
      arrived_.set_value();
    });
    server_->Start();
  }

  void TearDown() override {
    if (server_ != nullptr) server_->Stop();
    held_.reset();
  }

  void OnHttpThread(const std::function<void()>& work) {
    std::promise<void> done;
    server_->Post([&] {
      work();
      done.set_value();
    });
    ASSERT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
  }

  bool Arrived() { return arrived_.get_future().wait_for(kPatience) == std::future_status::ready; }
  bool ToldGone() { return gone_.get_future().wait_for(kPatience) == std::future_status::ready; }

  std::unique_ptr<HttpServer> server_;
  std::string answers_;  // HTTP thread; read after Stop
  std::optional<HttpReply> held_;
  std::promise<void> arrived_;
  std::promise<void> gone_;
};

TEST_F(HttpServerTest, AnswersWithBodyQueryAndHeader) {
  Start();
  HttpTestClient client(server_->port());
  client.Post("/echo?a=b", "hello", "X-Test: yes\r\n");
  const TestAnswer answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "a=b|yes|hello");
}

TEST_F(HttpServerTest, ReadsAChunkedBodyInAnyPieces) {
  Start();
  HttpTestClient client(server_->port());
  for (const char c :
       absl::string_view("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked"
                         "\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) {
    client.Send({&c, 1});
  }
  EXPECT_EQ(client.Read().body, "||abcde");
}

TEST_F(HttpServerTest, KeepsTheConnectionForManyRequestsAlsoPipelinedOnes) {
  Start();
  HttpTestClient client(server_->port());
  client.Post("/echo", "1");
  client.Post("/echo", "2");
  client.Post("/echo", "3");
  EXPECT_EQ(client.Read().body, "||1");
  EXPECT_EQ(client.Read().body, "||2");
  EXPECT_EQ(client.Read().body, "||3");
}

TEST_F(HttpServerTest, UnknownPathsAndMethodsAreSaid) {
  Start();
  HttpTestClient client(server_->port());
  client.Get("/nothing");
  const TestAnswer missing = client.Read();
  EXPECT_EQ(missing.status, 404);
  EXPECT_NE(missing.body.find("\"code\":\"unknown_url\""), std::string::npos);
  client.Get("/echo");
  const TestAnswer wrong = client.Read();
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "POST");
  server_->Stop();
  EXPECT_EQ(answers_, " 404;/echo 405;");
}

struct BadHead {
  const char* name;
  std::string bytes;
  int status;
};

TEST_F(HttpServerTest, RefusesWhatTwoParsersCouldReadDifferentlyAndCloses) {
  Start();
  const std::string post = "POST /echo HTTP/1.1\r\nHost: t\r\n";
  const std::vector<BadHead> cases = {
      {"length beside encoding", post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"two equal lengths", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
      {"signed length", post + "Content-Length: +1\r\n\r\na", 400},
      {"encoding other than chunked", post + "Transfer-Encoding: gzip\r\n\r\n", 400},
      {"bare line feed", "POST /echo HTTP/1.1\nHost: t\r\n\r\n", 400},
      {"bare carriage return", post + "X-A: a\rb\r\n\r\n", 400},
      {"folded line", post + "X-A: a\r\n b\r\n\r\n", 400},
      {"blank before the colon", post + "Content-Length : 1\r\n\r\na", 400},
      {"nul byte", post + std::string("X-A: a\0b\r\n\r\n", 12), 400},
      {"two hosts", post + "Host: u\r\n\r\n", 400},
      {"not HTTP", "hello\r\n\r\n", 400},
      {"bad chunk", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: t\r\n\r\n", 505},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 505},
      {"long request line", "GET /" + std::string(300, 'a') + " HTTP/1.1\r\n\r\n", 414},
      {"long request line without end", "GET /" + std::string(300, 'a'), 414},
      {"large head", post + "X-A: " + std::string(1100, 'a') + "\r\n\r\n", 431},
      {"many fields", post + "A:1\r\nB:1\r\nC:1\r\nD:1\r\nE:1\r\nF:1\r\nG:1\r\nI:1\r\n\r\n", 431},
      {"large body", post + "Content-Length: 4097\r\n\r\n", 413},
      {"large chunked body", post + "Transfer-Encoding: chunked\r\n\r\n1001\r\n", 413},
  };
  for (const BadHead& bad : cases) {
    HttpTestClient client(server_->port());
    client.Send(bad.bytes);
    const TestAnswer answer = client.Read();
    EXPECT_EQ(answer.status, bad.status) << bad.name;
    EXPECT_TRUE(answer.complete) << bad.name;
    EXPECT_TRUE(client.ClosedByServer()) << bad.name;
  }
}

TEST_F(HttpServerTest, TakesWhatIsExactlyAtTheLimit) {
  Start();
  HttpTestClient client(server_->port());
  client.Post("/echo", std::string(4096, 'b'));
  EXPECT_EQ(client.Read().body.size(), 4098U);
  client.Post("/echo", "", "A:1\r\nB:1\r\nC:1\r\nD:1\r\nE:1\r\nF:1\r\n");  // with Host, length: 8
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(HttpServerTest, StreamsChunksAndThenTheNextAnswer) {
  Start();
  HttpTestClient client(server_->port());
  client.Get("/hold");
  ASSERT_TRUE(Arrived());
  OnHttpThread([this] {
    HttpResponse head;
    head.content_type = "text/event-stream";
    head.body = "one ";
    held_->StartStream(std::move(head));
    held_->Write("two ");
  });
  ASSERT_TRUE(client.ReadUntil("two "));
  OnHttpThread([this] { held_->Finish("three"); });
  const TestAnswer answer = client.Read();
  EXPECT_EQ(answer.headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(answer.body, "one two three");
  EXPECT_TRUE(answer.complete);
  client.Post("/echo", "next");
  EXPECT_EQ(client.Read().body, "||next");
}

TEST_F(HttpServerTest, NoticesAClientThatLeavesWhileItWaits) {
  Start();
  {
    HttpTestClient client(server_->port());
    client.Get("/hold");
    ASSERT_TRUE(Arrived());
    EXPECT_EQ(server_->exchanges_open(), 1);
  }
  EXPECT_TRUE(ToldGone());
  OnHttpThread([] {});
  EXPECT_EQ(server_->exchanges_open(), 0);
}

TEST_F(HttpServerTest, NoticesAClientThatResetsInMidStream) {
  Start();
  HttpTestClient client(server_->port());
  client.Get("/hold");
  ASSERT_TRUE(Arrived());
  OnHttpThread([this] { held_->StartStream({}); });
  client.Reset();
  EXPECT_TRUE(ToldGone());
  OnHttpThread([this] { held_->Write("to nobody"); });
}

TEST_F(HttpServerTest, AReaderThatStallsIsTakenForGone) {
  HttpServerOptions options = SmallLimits();
  options.limits.stall_time_max = Milliseconds(100);
  Start(options);
  HttpTestClient client(server_->port(), 4096);
  client.Get("/hold");
  ASSERT_TRUE(Arrived());
  OnHttpThread([this] {
    held_->StartStream({});
    held_->Write(std::string(900 * 1024, 'x'));
  });
  EXPECT_TRUE(ToldGone());
}

TEST_F(HttpServerTest, AStreamThatOutrunsItsReaderIsTakenForGoneAtTheBound) {
  HttpServerOptions options = SmallLimits();
  options.limits.unsent_bytes_max = 256 * 1024;
  Start(options);
  HttpTestClient client(server_->port(), 4096);
  client.Get("/hold");
  ASSERT_TRUE(Arrived());
  OnHttpThread([this] {
    held_->StartStream({});
    for (int i = 0; i < 20; ++i) held_->Write(std::string(64 * 1024, 'x'));
  });
  EXPECT_TRUE(ToldGone());
}

TEST_F(HttpServerTest, ASlowHeadAndASlowBodyAreRefused) {
  HttpServerOptions options = SmallLimits();
  options.limits.head_time_max = Milliseconds(50);
  options.limits.body_grace = Milliseconds(50);
  options.limits.body_rate_min = 1 << 20;
  Start(options);
  HttpTestClient head(server_->port());
  head.Send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(head.Read().status, 408);
  HttpTestClient body(server_->port());
  body.Send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_EQ(body.Read().status, 408);
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosed) {
  HttpServerOptions options = SmallLimits();
  options.limits.idle_time_max = Milliseconds(50);
  Start(options);
  HttpTestClient client(server_->port());
  client.Post("/echo", "1");
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_TRUE(client.ClosedByServer());
}

TEST_F(HttpServerTest, MoreConnectionsThanAllowedAreClosedWhileAllAreAtWork) {
  HttpServerOptions options = SmallLimits();
  options.limits.connections_max = 1;
  Start(options);
  HttpTestClient first(server_->port());
  first.Get("/hold");
  ASSERT_TRUE(Arrived());
  HttpTestClient second(server_->port());
  EXPECT_TRUE(second.ClosedByServer());
}

TEST_F(HttpServerTest, TheLongestIdleConnectionMakesRoomForANewOne) {
  HttpServerOptions options = SmallLimits();
  options.limits.connections_max = 2;
  Start(options);
  HttpTestClient oldest(server_->port());
  oldest.Post("/echo", "1");
  EXPECT_EQ(oldest.Read().status, 200);
  HttpTestClient younger(server_->port());
  younger.Post("/echo", "2");
  EXPECT_EQ(younger.Read().status, 200);
  HttpTestClient newcomer(server_->port());
  newcomer.Post("/echo", "3");
  EXPECT_EQ(newcomer.Read().body, "||3");
  EXPECT_TRUE(oldest.ClosedByServer());
  younger.Post("/echo", "4");
  EXPECT_EQ(younger.Read().body, "||4");
}

// Bytes that nobody reads would hide that the client is gone.
TEST_F(HttpServerTest, AClientThatOverfillsTheReadAheadIsTakenForGone) {
  Start();
  HttpTestClient client(server_->port());
  client.Get("/hold");
  ASSERT_TRUE(Arrived());
  client.Send(std::string(HttpLimits{}.pipelined_bytes_max, 'x'));
  EXPECT_TRUE(ToldGone());
  EXPECT_TRUE(client.ClosedByServer());
}

TEST_F(HttpServerTest, BodiesTogetherAreBoundedAndSmallOnesPassAllTheSame) {
  HttpServerOptions options = SmallLimits();
  options.limits.small_body_bytes = 100;
  options.limits.bodies_bytes_max = 1000;
  Start(options);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4000\r\n\r\n";
  {
    HttpTestClient holder(server_->port());
    holder.Send(head + std::string(1100, 'x'));
    HttpTestClient beyond(server_->port());
    beyond.Send(head + std::string(1101, 'x'));
    const TestAnswer refused = beyond.Read();
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_EQ(refused.headers.count("retry-after"), 1U);
    HttpTestClient small(server_->port());
    small.Post("/echo", std::string(100, 'y'));
    EXPECT_EQ(small.Read().status, 200);
  }
  HttpTestClient after(server_->port());  // what they held is given back
  for (int i = 0; i < 3; ++i) {
    after.Post("/echo", std::string(1100, 'z'));
    EXPECT_EQ(after.Read().status, 200) << i;
  }
}

TEST_F(HttpServerTest, ADroppedReplyIsSaidAndClosed) {
  Start();
  HttpTestClient client(server_->port());
  client.Get("/hold");
  ASSERT_TRUE(Arrived());
  OnHttpThread([this] { held_.reset(); });
  EXPECT_EQ(client.Read().status, 500);
  EXPECT_TRUE(client.ClosedByServer());
}

TEST_F(HttpServerTest, DrainFinishesTheCurrentAnswerAndTakesNoNewConnection) {
  Start();
  HttpTestClient client(server_->port());
  client.Get("/hold");
  ASSERT_TRUE(Arrived());
  server_->StopAccepting();
  OnHttpThread([this] { held_->Send({}); });
  const TestAnswer answer = client.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client.ClosedByServer());
}

TEST_F(HttpServerTest, TheSecondAnswerOnAConnectionComesAsSoonAsTheFirst) {
  Start();
  HttpTestClient client(server_->port());
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    client.Post("/echo", "x");
    EXPECT_EQ(client.Read().status, 200);
    seconds.push_back(ToSeconds(std::chrono::steady_clock::now() - begin));
  }
  // Nagle against delayed acknowledgements would cost 40 ms on each but the first.
  EXPECT_LT(*std::min_element(seconds.begin() + 1, seconds.end()), 0.030);
}

TEST_F(HttpServerTest, ContinueIsSaidOnDemand) {
  Start();
  HttpTestClient client(server_->port());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(client.ReadUntil("HTTP/1.1 100 Continue\r\n\r\n"));
  client.Send("ok");
  EXPECT_TRUE(client.ReadUntil("||ok"));
}

TEST(HttpServerListenTest, ATakenPortIsAnErrorThatNamesIt) {
  HttpServerOptions options;
  const auto first = HttpServer::Listen(options);
  ASSERT_TRUE(first.ok());
  options.port = (*first)->port();
  const auto second = HttpServer::Listen(options);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find(std::to_string(options.port)), absl::string_view::npos);
  options.host = "example.com";
  EXPECT_EQ(HttpServer::Listen(options).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace baton
