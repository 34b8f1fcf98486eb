// A strict look at the raw head of a request before the parser sees it: what two parsers could read
// differently is refused, so that nothing can be smuggled behind a proxy.
//
// Boost.Beast 1.74 lets pass: equal repeated Content-Lengths, folded lines, a Transfer-Encoding
// that does not end in "chunked" (source: boost/beast/http/impl/basic_parser.ipp). Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "server/http/http_limits.h"

namespace baton {

struct HeadScan {
  enum class Verdict { kNeedMore, kComplete, kRefused };
  Verdict verdict = Verdict::kNeedMore;
  std::size_t head_bytes = 0;  // kComplete: up to and including the empty line
  int status = 0;              // kRefused
  const char* message = "";    // kRefused: what to do about it
};

/// Looks at everything read of one request so far. Refuses (400): a bare LF or CR, a control byte,
/// a folded line, a blank before the colon, two Content-Lengths or Hosts, Content-Length beside
/// Transfer-Encoding, a length that is not digits, any Transfer-Encoding but "chunked". 414 and
/// 431: beyond `limits`.
HeadScan ScanHead(std::string_view bytes, const HttpLimits& limits);

}  // namespace baton
