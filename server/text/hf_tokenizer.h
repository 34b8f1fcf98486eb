// A tokenizer as a Hugging Face tokenizer.json describes it: byte-level BPE.
//
//   text --added tokens--> gaps --NFC--> --normalized added tokens--> gaps --splits--> pieces
//        --merges--> ids --post-processor--> ids
//
// Ids are those of the published `tokenizers` package. Beyond it: bytes that are no UTF-8 are
// encoded byte by byte instead of being replaced, and text that nobody vouches for never becomes an
// added token, neither by its letters nor by merges.
//
// Thread: any. Each call borrows a workspace; a lock is held while one is taken or given back.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/text/added_tokens.h"
#include "server/text/byte_pair.h"
#include "server/text/nfc.h"
#include "server/text/piece_cache.h"
#include "server/text/pre_tokenizer.h"
#include "server/text/tokenizer.h"
#include "server/text/tokenizer_json.h"

namespace baton {

class HfTokenizer : public Tokenizer {
 public:
  struct Files {
    absl::string_view tokenizer_json;
    absl::string_view tokenizer_config_json = "{}";  // only add_bos_token and add_eos_token count
  };

  /// Errors: InvalidArgument with the file's name and the path inside it.
  static absl::StatusOr<std::unique_ptr<HfTokenizer>> FromJson(const Files& files);

  absl::StatusOr<std::vector<TokenId>> Encode(absl::string_view text,
                                              const EncodeOptions& options) const override;
  absl::StatusOr<std::vector<TokenId>> EncodeRuns(std::span<const TextRun> runs) const override;
  absl::string_view BytesOf(TokenId token) const override;
  bool IsSpecial(TokenId token) const override;
  bool has_text() const override { return true; }
  absl::string_view config_json() const override { return config_json_; }

  /// How many of the 256 bytes have no token: text that holds them loses them, as published.
  int bytes_missing() const { return byte_pair_.bytes_missing(); }

  /// As SplitPattern::is_machine_code, of every split.
  bool is_machine_code() const { return parts_.pre_tokenizer.is_machine_code(); }

 private:
  struct Workspace {
    SplitPattern::Scratch split;
    BytePair::Scratch byte_pair;
    PieceCache cache;
    std::vector<TokenId> tokens;  // those of one piece
  };
  struct Call {
    Workspace& workspace;
    std::vector<TokenId>& tokens;  // the result so far
  };

  HfTokenizer(TokenizerParts parts, absl::string_view config_json);

  absl::StatusOr<std::vector<TokenId>> EncodeMarked(const MarkedText& text) const;
  absl::Status EncodeWellFormed(const MarkedText& text, const Call& call) const;
  absl::Status EncodeNormalized(const MarkedText& text, const Call& call) const;
  absl::Status EncodeGap(const MarkedText& text, const Call& call) const;
  void EncodePiece(absl::string_view piece, bool trusted, const Call& call) const;
  void ListAddedTokens();

  std::unique_ptr<Workspace> Borrow() const;
  void GiveBack(std::unique_ptr<Workspace> workspace) const;

  TokenizerParts parts_;
  const std::string config_json_;
  const BytePair byte_pair_;
  std::unique_ptr<const Nfc> nfc_;     // null: text stays as it is
  AddedTokenFinder added_;             // before the normalizer
  AddedTokenFinder normalized_added_;  // after it
  absl::flat_hash_map<TokenId, std::size_t> added_by_id_;
  std::vector<bool> banned_;  // by id: added tokens that merges could also make
  bool bans_any_ = false;

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> idle_;  // guarded by mutex_
};

}  // namespace baton
