// Counts HTTP answers by route and code (baton_http_requests_total). Its own object, so that the
// server needs no metrics and workers may go without.
#pragma once

#include <functional>

#include "absl/strings/string_view.h"
#include "base/metrics.h"

namespace baton {

/// A function for HttpServerOptions::on_answer. Routes and codes are closed sets, so the series are
/// bounded. `metrics` outlives it.
std::function<void(absl::string_view route, int status)> CountAnswers(Metrics& metrics);

}  // namespace baton
