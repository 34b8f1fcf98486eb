// The order of what arrives: a message is handed up only behind the frames and messages that its
// sender posted before it.
//
// UCX keeps the order on one lane as a rule but documents none between active messages, so it is
// counted: each sending endpoint is a *stream* with a random name; a message carries its number and
// how many frames its stream had posted before it. A message that comes early is held.
//
// Thread: confined to the owner of the transport. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton {

enum class StreamId : std::uint64_t {};  // random, not 0; chosen by the sender for each endpoint

inline constexpr std::size_t kStreamsMax = 1024;     // more forget the one that is silent longest
inline constexpr std::size_t kHeldMessagesMax = 64;  // of all streams together
inline constexpr std::size_t kMessageHeaderBytes = 24;

/// What stands in front of a message on the wire.
struct MessageHeader {
  StreamId stream{};
  std::uint64_t number = 0;         // of messages in this stream, from 0
  std::uint64_t frames_before = 0;  // posted in this stream before it
};

class InboundOrder {
 public:
  /// A frame of `stream` has landed or has been refused. Appends the messages that may go up now.
  void OnFrame(StreamId stream, std::vector<std::string>& ready);

  /// Appends the messages that may go up now: this one, if nothing is missing, and those it held
  /// up. False when it was dropped: seen before, or too many are held.
  bool OnMessage(const MessageHeader& header, absl::string_view payload,
                 std::vector<std::string>& ready);

  /// Messages now waiting for what was sent before them.
  std::size_t held() const { return held_; }

 private:
  struct Held {
    std::uint64_t frames_before;
    std::string payload;
  };
  struct Stream {
    std::uint64_t frames = 0;
    std::uint64_t next_message = 0;
    std::uint64_t last_used = 0;
    std::map<std::uint64_t, Held> held;  // by message number
  };

  Stream& Find(StreamId id);
  void Release(Stream& stream, std::vector<std::string>& ready);

  std::map<StreamId, Stream> streams_;
  std::uint64_t uses_ = 0;
  std::size_t held_ = 0;
};

}  // namespace baton
