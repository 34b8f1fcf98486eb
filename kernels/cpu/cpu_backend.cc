#include "kernels/backend.h"

namespace baton {

const Backend* CpuBackend(absl::string_view isa) {
  if (isa == "auto" || isa == "reference") return &ReferenceBackend();
  return nullptr;
}

}  // namespace baton
