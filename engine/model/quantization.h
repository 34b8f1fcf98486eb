// What config.json says of how weights are quantised. One way is read: FP8 in blocks of 128 x 128,
// widened at load (fp8_blocks). Every other way is refused with what it would need.
#pragma once

#include <string>
#include <vector>

#include "engine/model/json_fields.h"

namespace baton {

/// Reads quantization_config, if there is one. Fields of it that nobody reads are added to
/// `unknown`. Errors stick to `fields`: Unimplemented names the method and what it would need.
void CheckQuantization(JsonFields& fields, std::vector<std::string>& unknown);

}  // namespace baton
