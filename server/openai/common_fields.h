// The fields that chat and completions share, and the ones that both refuse. Pure.
#pragma once

#include "server/openai/api_call.h"
#include "server/openai/field_reader.h"

namespace baton {

/// Fills `call` from the fields with one meaning in both; what is wrong stays in `reader`.
void ReadCommonFields(FieldReader& reader, ApiCall& call);

/// A known field whose value this version cannot honour fails here, so that nothing a client asks
/// for is dropped in silence. Its neutral value (0, 1, empty, false) passes.
void RefuseUnsupported(FieldReader& reader);

}  // namespace baton
