// Tokens that stand beside the vocabulary and are cut out of a text before it is split: control
// tokens such as <|im_start|>, and whatever else a model's maker added.
//
// Of those that begin at one place the longest is taken, from left to right. They are looked for in
// trusted text alone, and one never reaches across a border of trust; what they require of their
// neighbours (whole words, blanks to swallow) is judged by the whole text.
//
// Thread: any, once built.
// Source: huggingface/tokenizers, tokenizer/added_vocabulary.rs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/ids.h"
#include "server/text/marked_text.h"
#include "server/text/token_table.h"

namespace baton {

inline constexpr std::size_t kAddedTokenBytesMax = 1024;

struct AddedToken {
  std::string content;
  TokenId id = kNoToken;
  bool special = false;      // a control token: leaves no text in answers unless asked for
  bool lstrip = false;       // takes the blanks before it along
  bool rstrip = false;       // takes the blanks after it along
  bool single_word = false;  // only where no letter of a word stands beside it
  bool normalized = false;   // looked for after the normalizer, and written as that writes it
};

/// Finds one group of added tokens: those before the normalizer, or those after it.
class AddedTokenFinder {
 public:
  /// A part of a text: an added token, or what stands between two (`id` kNoToken).
  struct Part {
    std::size_t begin;
    std::size_t end;
    TokenId id;
  };

  /// `written` is how the token looks in the text; the first of two that look alike wins.
  void Add(const AddedToken& token, absl::string_view written);

  bool empty() const { return nodes_.size() == 1; }

  /// The parts of `text`, in order; no part is empty text.
  std::vector<Part> Split(const MarkedText& text) const;

 private:
  struct Node {
    std::int32_t token = -1;  // index of the token that ends here
  };
  struct Found {
    std::size_t begin;
    std::size_t end;
    std::size_t token;
  };
  /// What of a token matters once it is found.
  struct Rules {
    TokenId id;
    bool lstrip;
    bool rstrip;
    bool single_word;
  };

  std::optional<Found> Find(absl::string_view text, std::size_t from, std::size_t end) const;
  void Take(absl::string_view text, const Found& found, std::size_t& done,
            std::vector<Part>& parts) const;

  std::vector<Rules> tokens_;
  std::vector<Node> nodes_ = {Node{}};                     // a trie; 0 is the root
  absl::flat_hash_map<std::uint64_t, std::int32_t> next_;  // node << 8 | byte -> node
  std::array<bool, 256> begins_{};                         // bytes that a token begins with
};

}  // namespace baton
