#include "server/commands/generate_command.h"

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "base/status.h"
#include "engine/generate.h"
#include "server/roles/worker_parts.h"
#include "server/startup.h"
#include "server/text/detokenizer.h"
#include "server/text/tokenizer.h"

namespace baton {
namespace {

constexpr std::size_t kPromptFileBytesMax = 64 << 20;

absl::StatusOr<std::vector<TokenId>> ParseIds(absl::string_view line) {
  std::vector<TokenId> ids;
  for (absl::string_view word :
       absl::StrSplit(line, absl::ByAnyChar(", \t\r"), absl::SkipEmpty())) {
    TokenId id = 0;
    if (!absl::SimpleAtoi(word, &id)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("--prompt-ids: token id %d of the line is not a number", ids.size()));
    }
    ids.push_back(id);
  }
  return ids;
}

/// One prompt a line; empty lines are skipped.
absl::StatusOr<std::vector<std::vector<TokenId>>> ReadPromptFile(const std::string& path) {
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kPromptFileBytesMax));
  std::vector<std::vector<TokenId>> prompts;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    BATON_ASSIGN_OR_RETURN(std::vector<TokenId> ids, ParseIds(line));
    prompts.push_back(std::move(ids));
  }
  if (prompts.empty())
    return absl::InvalidArgumentError(absl::StrFormat("%s: no prompt in it", path));
  return prompts;
}

absl::StatusOr<std::vector<std::vector<TokenId>>> PromptsOf(const GenerateOptions& options,
                                                            const Tokenizer& tokenizer) {
  if (!options.prompt_ids_file.empty()) return ReadPromptFile(options.prompt_ids_file);
  if (options.prompt_ids.has_value()) return std::vector<std::vector<TokenId>>{*options.prompt_ids};
  BATON_ASSIGN_OR_RETURN(std::vector<TokenId> ids, tokenizer.Encode(options.prompt.value_or(""),
                                                                    {.add_special_tokens = true}));
  return std::vector<std::vector<TokenId>>{std::move(ids)};
}

std::string TextOf(const Generation& generation, const Tokenizer& tokenizer) {
  Detokenizer characters;
  std::string text;
  for (const TokenOutput& output : generation.outputs) {
    if (tokenizer.IsSpecial(output.token)) continue;
    characters.Append(tokenizer.BytesOf(output.token), text);
  }
  characters.Flush(text);
  return text;
}

/// Milliseconds of the first token, and of all that followed.
JsonObject TimingsOf(const Generation& generation) {
  double later = 0;
  for (Duration time : generation.token_times) later += ToMilliseconds(time);
  return MakeJson(
      {{"first_token_ms", ToMilliseconds(generation.first_token)}, {"decode_ms", later}});
}

JsonValue TopJson(const std::vector<TokenLogprob>& entries) {
  JsonArray top;
  for (const TokenLogprob& entry : entries) {
    top.emplace_back(MakeJson({{"token", entry.token}, {"logprob", double{entry.logprob}}}));
  }
  return top;
}

JsonValue PromptJson(const std::vector<PromptLogprob>& tokens) {
  JsonArray prompt;
  for (const PromptLogprob& token : tokens) {
    prompt.emplace_back(MakeJson({{"token", token.token},
                                  {"logprob", double{token.logprob}},
                                  {"rank", token.rank},
                                  {"top", TopJson(token.top)}}));
  }
  return prompt;
}

std::string ToJson(const Generation& generation, const Tokenizer& tokenizer, bool logprobs) {
  JsonArray ids;
  JsonArray values;
  JsonArray tops;
  for (const TokenOutput& output : generation.outputs) {
    ids.emplace_back(output.token);
    values.emplace_back(double{output.logprob});
    tops.push_back(TopJson(output.top));
  }
  JsonObject object =
      MakeJson({{"token_ids", std::move(ids)}, {"text", TextOf(generation, tokenizer)}});
  if (logprobs) {
    object.Insert("logprobs", std::move(values));
    object.Insert("top_logprobs", std::move(tops));
  }
  if (!generation.prompt.empty()) object.Insert("prompt_logprobs", PromptJson(generation.prompt));
  object.Insert("finish_reason", generation.finish == FinishReason::kStop ? "stop" : "length");
  object.Insert("timings", TimingsOf(generation));
  return WriteJson(object);
}

absl::Status Generate(const Config& config, const GenerateOptions& options) {
  BATON_ASSIGN_OR_RETURN(const auto tokenizer, MakeTokenizer(config.model));
  BATON_ASSIGN_OR_RETURN(const auto prompts, PromptsOf(options, *tokenizer));
  BATON_ASSIGN_OR_RETURN(const ModelParts parts, MakeModelParts(config));
  GeneratorOptions knobs;
  knobs.threads = ComputeThreads(config.model);
  knobs.tokens_per_page = config.cache.page_tokens;
  knobs.kv_dtype = parts.kv_dtype;
  BATON_ASSIGN_OR_RETURN(const auto generator,
                         Generator::Create(*parts.model, *parts.backend, knobs));
  SamplingParams sampling;
  sampling.temperature = static_cast<float>(options.temperature);
  sampling.seed = options.seed;
  sampling.logprobs = options.logprobs;
  sampling.prompt_logprobs = options.prompt_logprobs;
  const int length = parts.model->facts().length_tokens_max;
  if (options.tokens_max > length) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "--max-tokens: expected at most %d, the longest prompt and answer of this model; got %d",
        length, options.tokens_max));
  }
  StopRule stop;
  stop.max_tokens = options.tokens_max;
  stop.ignore_end_tokens = options.ignore_end_tokens;
  stop.end_tokens = parts.model->facts().end_tokens;
  for (const std::vector<TokenId>& prompt : prompts) {
    BATON_ASSIGN_OR_RETURN(const Generation generation,
                           generator->Generate(prompt, sampling, stop));
    const std::string line = options.json ? ToJson(generation, *tokenizer, options.logprobs >= 0)
                                          : TextOf(generation, *tokenizer);
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

}  // namespace

int RunGenerate(const LoadedConfig& loaded, const CommandLine& command_line) {
  const absl::Status status = Generate(loaded.config, command_line.generate);
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return kExitInvalid;
}

}  // namespace baton
