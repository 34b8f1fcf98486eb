#include "server/openai/served_names.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace baton {

std::vector<std::string> ServedNames::All(const ServedModel& model) const {
  return names_.empty() ? std::vector<std::string>{model.name} : names_;
}

std::optional<HttpError> ServedNames::Resolve(const Gateway& gateway, std::string& name,
                                              ServedModel& model) const {
  const std::optional<ServedModel> served = gateway.model();
  if (!served.has_value()) {
    const char* why = gateway.had_worker() ? "every worker is gone; try again when one is back"
                                           : "no worker has registered yet; try again in a moment";
    return HttpError{503, "unavailable_error", why, "", "no_worker"};
  }
  model = *served;
  const std::vector<std::string> names = All(model);
  if (name.empty()) name = names.front();
  if (std::find(names.begin(), names.end(), name) != names.end()) return std::nullopt;
  return HttpError{404, "not_found_error",
                   absl::StrCat("this model is not served here; ", names.front(), " is"), "model",
                   "model_not_found"};
}

}  // namespace baton
