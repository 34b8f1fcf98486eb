#include "kvtransfer/inbound_order.h"

#include <algorithm>
#include <utility>

namespace baton {

InboundOrder::Stream& InboundOrder::Find(StreamId id) {
  if (!streams_.contains(id) && streams_.size() >= kStreamsMax) {
    const auto silent = std::min_element(
        streams_.begin(), streams_.end(),
        [](const auto& a, const auto& b) { return a.second.last_used < b.second.last_used; });
    held_ -= silent->second.held.size();
    streams_.erase(silent);
  }
  Stream& stream = streams_[id];
  stream.last_used = ++uses_;
  return stream;
}

void InboundOrder::Release(Stream& stream, std::vector<std::string>& ready) {
  while (!stream.held.empty()) {
    const auto first = stream.held.begin();
    if (first->first != stream.next_message || first->second.frames_before > stream.frames) return;
    ready.push_back(std::move(first->second.payload));
    stream.held.erase(first);
    ++stream.next_message;
    --held_;
  }
}

void InboundOrder::OnFrame(StreamId id, std::vector<std::string>& ready) {
  Stream& stream = Find(id);
  ++stream.frames;
  Release(stream, ready);
}

bool InboundOrder::OnMessage(const MessageHeader& header, absl::string_view payload,
                             std::vector<std::string>& ready) {
  Stream& stream = Find(header.stream);
  if (header.number < stream.next_message || stream.held.contains(header.number)) return false;
  const bool waits = header.number != stream.next_message || header.frames_before > stream.frames;
  if (waits && held_ >= kHeldMessagesMax) return false;
  stream.held.emplace(header.number, Held{header.frames_before, std::string(payload)});
  ++held_;
  Release(stream, ready);
  return true;
}

}  // namespace baton
