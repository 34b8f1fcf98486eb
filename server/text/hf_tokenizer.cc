#include "server/text/hf_tokenizer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/text/json_place.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

// A prompt of 8 MiB takes under a second; what takes this long was made to.
constexpr auto kEncodeTimeMax = std::chrono::seconds(5);

constexpr std::size_t kIdleWorkspacesMax = 4;
constexpr std::size_t kScratchSymbolsMax = 1 << 16;  // larger ones are given back to the system

constexpr std::size_t kConfigFileValuesMax = 1 << 18;

absl::Status InFile(absl::string_view file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

// "<s>", or {"content": "<s>", ...}.
absl::StatusOr<TokenId> NamedToken(const JsonPlace& place, const TokenizerParts& parts) {
  const JsonPlace content = place.At("content");
  BATON_ASSIGN_OR_RETURN(const std::string name,
                         content.is_present() ? content.String() : place.String());
  const TokenId id = parts.Find(name);
  return id == kNoToken ? place.Error(absl::StrCat(Quoted(name), " is no token"))
                        : absl::StatusOr<TokenId>(id);
}

// Older models leave their begin token to this file; newer ones name it in the post-processor,
// and then it is not added twice.
absl::Status AddConfigured(absl::string_view json, TokenizerParts& parts) {
  const JsonLimits limits{kTokenizerFileDepthMax, kConfigFileValuesMax};
  BATON_ASSIGN_OR_RETURN(const JsonValue tree, ParseJson(json, limits));
  const JsonPlace root(&tree, "");
  if (tree.AsObject() == nullptr) return root.Error("must be an object");
  BATON_ASSIGN_OR_RETURN(const bool begin, root.At("add_bos_token").BoolOr(false));
  BATON_ASSIGN_OR_RETURN(const bool end, root.At("add_eos_token").BoolOr(false));
  std::vector<TokenId>& before = parts.around.before;
  std::vector<TokenId>& after = parts.around.after;
  if (begin) {
    BATON_ASSIGN_OR_RETURN(const TokenId id, NamedToken(root.At("bos_token"), parts));
    if (before.empty() || before.front() != id) before.insert(before.begin(), id);
  }
  if (end) {
    BATON_ASSIGN_OR_RETURN(const TokenId id, NamedToken(root.At("eos_token"), parts));
    if (after.empty() || after.back() != id) after.push_back(id);
  }
  return absl::OkStatus();
}

void ShrinkScratch(BytePair::Scratch& scratch) {
  if (scratch.symbols.capacity() > kScratchSymbolsMax) scratch = {};
}

}  // namespace

absl::StatusOr<std::unique_ptr<HfTokenizer>> HfTokenizer::FromJson(const Files& files) {
  absl::StatusOr<TokenizerParts> parts = ReadTokenizerJson(files.tokenizer_json);
  if (!parts.ok()) return InFile("tokenizer.json", parts.status());
  const absl::Status added = AddConfigured(files.tokenizer_config_json, *parts);
  if (!added.ok()) return InFile("tokenizer_config.json", added);
  return std::unique_ptr<HfTokenizer>(
      new HfTokenizer(*std::move(parts), files.tokenizer_config_json));
}

HfTokenizer::HfTokenizer(TokenizerParts parts, absl::string_view config_json)
    : parts_(std::move(parts)),
      config_json_(config_json),
      byte_pair_(parts_.vocabulary, std::move(parts_.merges), parts_.ignore_merges),
      nfc_(parts_.nfc ? std::make_unique<const Nfc>() : nullptr) {
  ListAddedTokens();
}

void HfTokenizer::ListAddedTokens() {
  // Of two that look alike after normalizing the first wins, and special ones come first.
  for (const bool special : {true, false}) {
    for (std::size_t i = 0; i < parts_.added_tokens.size(); ++i) {
      const AddedToken& token = parts_.added_tokens[i];
      if (token.special != special) continue;
      added_by_id_[token.id] = i;
      if (parts_.vocabulary.Contains(token.id)) {
        if (banned_.size() <= static_cast<std::size_t>(token.id)) {
          banned_.resize(static_cast<std::size_t>(token.id) + 1);
        }
        banned_[static_cast<std::size_t>(token.id)] = true;
        bans_any_ = true;
      }
      if (!token.normalized) {
        added_.Add(token, token.content);
      } else if (nfc_ != nullptr) {
        normalized_added_.Add(token, nfc_->Normalize(MarkedText(token.content, true)).text());
      } else {
        normalized_added_.Add(token, token.content);
      }
    }
  }
}

absl::StatusOr<std::vector<TokenId>> HfTokenizer::Encode(absl::string_view text,
                                                         const EncodeOptions& options) const {
  BATON_ASSIGN_OR_RETURN(std::vector<TokenId> tokens,
                         EncodeMarked(MarkedText(text, options.parse_special_tokens)));
  if (!options.add_special_tokens) return tokens;
  const AroundTokens& around = parts_.around;
  tokens.insert(tokens.begin(), around.before.begin(), around.before.end());
  tokens.insert(tokens.end(), around.after.begin(), around.after.end());
  return tokens;
}

absl::StatusOr<std::vector<TokenId>> HfTokenizer::EncodeRuns(std::span<const TextRun> runs) const {
  return EncodeMarked(MarkedText(runs));
}

// Splits what is no UTF-8 off; each such stretch is a piece of its own.
absl::StatusOr<std::vector<TokenId>> HfTokenizer::EncodeMarked(const MarkedText& text) const {
  std::vector<TokenId> tokens;
  std::unique_ptr<Workspace> workspace = Borrow();
  workspace->split.StopAt(std::chrono::steady_clock::now() + kEncodeTimeMax);
  const Call call{*workspace, tokens};
  const absl::string_view whole = text.text();
  absl::Status status;
  for (std::size_t at = 0; at < whole.size() && status.ok();) {
    const std::size_t good = WellFormedBytes(whole.substr(at));
    if (good == whole.size()) {
      status = EncodeWellFormed(text, call);
      break;
    }
    if (good > 0) {
      MarkedText part;
      part.AppendFrom(text, at, at + good);
      status = EncodeWellFormed(part, call);
      at += good;
    }
    std::size_t bad = at;
    while (bad < whole.size() && WellFormedBytes(whole.substr(bad, 4)) == 0) ++bad;
    if (bad > at) EncodePiece(whole.substr(at, bad - at), false, call);
    at = bad;
  }
  GiveBack(std::move(workspace));
  if (!status.ok()) return status;
  return tokens;
}

absl::Status HfTokenizer::EncodeWellFormed(const MarkedText& text, const Call& call) const {
  const std::vector<AddedTokenFinder::Part> parts = added_.Split(text);
  for (const AddedTokenFinder::Part& part : parts) {
    if (part.id != kNoToken) {
      call.tokens.push_back(part.id);
    } else if (parts.size() == 1) {
      BATON_RETURN_IF_ERROR(EncodeNormalized(text, call));
    } else {
      MarkedText gap;
      gap.AppendFrom(text, part.begin, part.end);
      BATON_RETURN_IF_ERROR(EncodeNormalized(gap, call));
    }
  }
  return absl::OkStatus();
}

absl::Status HfTokenizer::EncodeNormalized(const MarkedText& text, const Call& call) const {
  if (nfc_ == nullptr || nfc_->IsSurelyNormal(text.text())) return EncodeGap(text, call);
  return EncodeGap(nfc_->Normalize(text), call);
}

absl::Status HfTokenizer::EncodeGap(const MarkedText& text, const Call& call) const {
  for (const AddedTokenFinder::Part& part : normalized_added_.Split(text)) {
    if (part.id != kNoToken) {
      call.tokens.push_back(part.id);
      continue;
    }
    const auto take = [&](const PreTokenizer::Piece& piece) {
      const bool trusted = !bans_any_ || text.IsTrusted(part.begin + piece.source.begin,
                                                        part.begin + piece.source.end);
      EncodePiece(piece.text, trusted, call);
    };
    BATON_RETURN_IF_ERROR(parts_.pre_tokenizer.Run(
        text.text().substr(part.begin, part.end - part.begin), call.workspace.split, take));
  }
  return absl::OkStatus();
}

void HfTokenizer::EncodePiece(absl::string_view piece, bool trusted, const Call& call) const {
  Workspace& workspace = call.workspace;
  const auto append = [&call](std::span<const TokenId> tokens) {
    call.tokens.insert(call.tokens.end(), tokens.begin(), tokens.end());
  };
  const bool small = piece.size() <= PieceCache::kPieceBytesMax;
  if (small && trusted) {
    if (const auto* known = workspace.cache.Find(piece)) return append(*known);
  }
  workspace.tokens.clear();
  byte_pair_.Encode(piece, trusted ? nullptr : &banned_, workspace.byte_pair, workspace.tokens);
  append(workspace.tokens);
  if (small && trusted) workspace.cache.Put(piece, workspace.tokens);
  ShrinkScratch(workspace.byte_pair);
}

absl::string_view HfTokenizer::BytesOf(TokenId token) const {
  const auto added = added_by_id_.find(token);
  if (added != added_by_id_.end()) return parts_.added_tokens[added->second].content;
  const absl::string_view bytes = parts_.vocabulary.BytesOf(token);
  return bytes.empty() ? parts_.unspelled.BytesOf(token) : bytes;
}

bool HfTokenizer::IsSpecial(TokenId token) const {
  const auto added = added_by_id_.find(token);
  return added != added_by_id_.end() && parts_.added_tokens[added->second].special;
}

std::unique_ptr<HfTokenizer::Workspace> HfTokenizer::Borrow() const {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Workspace>();
  std::unique_ptr<Workspace> workspace = std::move(idle_.back());
  idle_.pop_back();
  return workspace;
}

void HfTokenizer::GiveBack(std::unique_ptr<Workspace> workspace) const {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleWorkspacesMax) idle_.push_back(std::move(workspace));
}

}  // namespace baton
