// Which model a client may name, and what it is told when it names another.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "router/request.h"
#include "server/gateway.h"
#include "server/http/http_error.h"

namespace baton {

class ServedNames {
 public:
  /// `names` empty: the model's own name alone.
  explicit ServedNames(std::vector<std::string> names) : names_(std::move(names)) {}

  std::vector<std::string> All(const ServedModel& model) const;

  /// Fills `model` and, where it was empty, `name`. Errors: 503 no_worker until workers have
  /// registered; 404 model_not_found.
  std::optional<HttpError> Resolve(const Gateway& gateway, std::string& name,
                                   ServedModel& model) const;

 private:
  const std::vector<std::string> names_;
};

}  // namespace baton
