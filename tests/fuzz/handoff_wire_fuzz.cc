// Any bytes as a message between workers. What is understood is written and understood again as the
// same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "kvtransfer/handoff_wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto decoded = baton::DecodeMessage(bytes);
  if (!decoded.ok()) return 0;
  const auto written = baton::EncodeMessage(decoded->header, decoded->message);
  BATON_CHECK(written.ok());
  const auto again = baton::DecodeMessage(*written);
  BATON_CHECK(again.ok());
  BATON_CHECK(again->message.index() == decoded->message.index());
  BATON_CHECK(*baton::EncodeMessage(again->header, again->message) == *written);
  return 0;
}
