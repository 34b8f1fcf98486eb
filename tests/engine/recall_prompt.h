// Prompts for the recall model, from a seed: `key=digits;` pairs, then what to ask of them.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/ids.h"
#include "engine/model/recall_model.h"

namespace baton::testing {

struct RecallPrompt {
  std::vector<std::string> keys;    // all different
  std::vector<std::string> digits;  // [keys] four each

  /// "key=digits;" for every key.
  std::string Text() const {
    std::string text;
    for (std::size_t i = 0; i < keys.size(); ++i) text += keys[i] + "=" + digits[i] + ";";
    return text;
  }
};

/// `pairs` random keys of 8 letters, so that no two share the 8 bytes that name a place.
inline RecallPrompt MakeRecallPrompt(int pairs, unsigned seed) {
  std::mt19937 random(seed);
  RecallPrompt prompt;
  while (prompt.keys.size() < static_cast<std::size_t>(pairs)) {
    std::string key;
    for (int i = 0; i < 8; ++i) key += static_cast<char>('a' + random() % 26);
    if (std::find(prompt.keys.begin(), prompt.keys.end(), key) != prompt.keys.end()) continue;
    prompt.keys.push_back(key);
    prompt.digits.push_back(std::to_string(1000 + random() % 9000));
  }
  return prompt;
}

/// BOS and the bytes.
inline std::vector<TokenId> RecallTokens(const std::string& text) {
  std::vector<TokenId> tokens = {kRecallBos};
  for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
  return tokens;
}

}  // namespace baton::testing
