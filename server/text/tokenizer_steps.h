// Reads what surrounds the vocabulary of a tokenizer.json: normalizer, pre-tokenizer, decoder,
// post-processor. Used by tokenizer_json alone.
//
// Pure. Errors of all: InvalidArgument with the path inside the file.
// Source: huggingface/tokenizers, normalizers/mod.rs, pre_tokenizers/mod.rs, decoders/mod.rs,
// processors/{byte_level,template,bert,roberta,sequence}.rs.
#pragma once

#include "absl/status/statusor.h"
#include "server/text/json_place.h"
#include "server/text/tokenizer_json.h"

namespace baton {

/// True when text is to be composed (NFC), false when it stays as it is.
absl::StatusOr<bool> ReadNormalizer(const JsonPlace& place);

/// The splits. The last is always the byte level, which this whole tokenizer is built on.
absl::StatusOr<PreTokenizer> ReadPreTokenizer(const JsonPlace& place);

/// Refuses every decoder but that of the byte level: a token is its bytes.
absl::Status CheckDecoder(const JsonPlace& place);

absl::StatusOr<AroundTokens> ReadPostProcessor(const JsonPlace& place);

}  // namespace baton
