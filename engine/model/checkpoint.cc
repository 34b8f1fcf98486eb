#include "engine/model/checkpoint.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/status.h"
#include "config/model_name.h"
#include "engine/model/checkpoint_files.h"
#include "engine/model/deepseek_architecture.h"
#include "engine/model/dummy_weights.h"
#include "engine/model/parse_config.h"
#include "engine/model/recall_model.h"
#include "engine/model/tokenizer_reach.h"

namespace baton {
namespace {

constexpr char kBuiltinPrefix[] = "builtin:";
constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20;
constexpr std::size_t kConfigValuesMax = 100'000;
constexpr std::size_t kTokenizerBytesMax = std::size_t{64} << 20;

absl::StatusOr<Checkpoint> OpenBuiltin(const std::string& name) {
  BATON_ASSIGN_OR_RETURN(RecallModel recall, MakeRecallModel(name));
  Checkpoint checkpoint;
  checkpoint.name = name;
  checkpoint.ids_with_text = recall.config.vocab_size;
  checkpoint.end_tokens = recall.config.end_tokens;
  checkpoint.architecture = std::make_unique<DeepseekArchitecture>(std::move(recall.config));
  checkpoint.bytes = recall.weights->bytes();
  checkpoint.revision = [weights = recall.weights.get()](const OnBytes&) {
    return weights->Digest();
  };
  checkpoint.check_unchanged = [] { return absl::OkStatus(); };
  checkpoint.source = std::move(recall.weights);
  return checkpoint;
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

absl::StatusOr<JsonValue> ReadJsonFile(const std::string& directory, const std::string& name,
                                       std::string* text) {
  BATON_ASSIGN_OR_RETURN(*text, ReadSmallFile(absl::StrCat(directory, "/", name), kConfigBytesMax));
  JsonLimits limits;
  limits.values_max = kConfigValuesMax;
  limits.errors_name_keys = true;
  absl::StatusOr<JsonValue> parsed = ParseJson(*text, limits);
  if (parsed.ok()) return parsed;
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", parsed.status().message()));
}

// `config_text` becomes the bytes of config.json.
absl::StatusOr<ParsedConfig> ReadConfig(const std::string& directory, std::string* config_text) {
  BATON_ASSIGN_OR_RETURN(const JsonValue config,
                         ReadJsonFile(directory, "config.json", config_text));
  std::optional<JsonValue> generation;
  if (Exists(directory + "/generation_config.json")) {
    std::string text;
    BATON_ASSIGN_OR_RETURN(generation, ReadJsonFile(directory, "generation_config.json", &text));
  }
  return ParseConfigJson(config, generation.has_value() ? &*generation : nullptr);
}

absl::Status OpenFiles(const std::string& directory, const std::string& stated_revision,
                       std::string config_text, Checkpoint& checkpoint) {
  BATON_ASSIGN_OR_RETURN(std::unique_ptr<CheckpointFiles> files, CheckpointFiles::Open(directory));
  checkpoint.bytes = files->bytes();
  checkpoint.revision = [files = files.get(), stated_revision,
                         text = std::move(config_text)](const OnBytes& on_bytes) {
    if (!stated_revision.empty()) return stated_revision;
    Sha256 hash;
    hash.AddString(text);
    files->AddTo(hash, on_bytes);
    return ToHex(hash.Finish());
  };
  checkpoint.check_unchanged = [files = files.get()] { return files->CheckSizes(); };
  checkpoint.source = std::move(files);
  const std::string tokenizer = directory + "/tokenizer.json";
  if (!Exists(tokenizer)) return absl::OkStatus();
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(tokenizer, kTokenizerBytesMax));
  BATON_ASSIGN_OR_RETURN(checkpoint.ids_with_text,
                         IdsWithText(text, checkpoint.architecture->shape().vocab_size));
  return absl::OkStatus();
}

// Made-up weights have no end tokens, so that answers are as long as the load asks.
absl::Status MakeDummies(const std::string& config_text, Checkpoint& checkpoint) {
  BATON_ASSIGN_OR_RETURN(std::unique_ptr<MemoryWeights> weights,
                         MakeDummyWeights(checkpoint.architecture->Weights()));
  checkpoint.end_tokens.clear();
  checkpoint.bytes = weights->bytes();
  Sha256 hash;
  hash.AddString(config_text);
  checkpoint.revision = [name = "dummy-" + ToHex(hash.Finish())](const OnBytes&) { return name; };
  checkpoint.check_unchanged = [] { return absl::OkStatus(); };
  checkpoint.source = std::move(weights);
  return absl::OkStatus();
}

absl::Status CheckIsDirectory(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(
      "model ", path,
      " is no directory; give a Hugging Face directory on this machine, or builtin:recall"));
}

absl::StatusOr<Checkpoint> OpenDirectory(const ModelConfig& config) {
  BATON_RETURN_IF_ERROR(CheckIsDirectory(config.path));
  Checkpoint checkpoint;
  checkpoint.name = ModelNameOf(config.path);
  std::string config_text;
  BATON_ASSIGN_OR_RETURN(ParsedConfig parsed, ReadConfig(config.path, &config_text));
  if (!parsed.unknown_fields.empty()) {
    BATON_WARN("config.json: fields that are not known and not honoured: %s",
               absl::StrJoin(parsed.unknown_fields, ", "));
  }
  checkpoint.architecture = std::move(parsed.architecture);
  checkpoint.ids_with_text = checkpoint.architecture->shape().vocab_size;
  checkpoint.end_tokens = checkpoint.architecture->shape().end_tokens;
  if (config.load_format == "dummy") {
    BATON_RETURN_IF_ERROR(MakeDummies(config_text, checkpoint));
  } else {
    BATON_RETURN_IF_ERROR(
        OpenFiles(config.path, config.revision, std::move(config_text), checkpoint));
  }
  return checkpoint;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Architecture>> OpenArchitecture(const ModelConfig& config) {
  if (absl::StartsWith(config.path, kBuiltinPrefix)) {
    BATON_ASSIGN_OR_RETURN(Checkpoint checkpoint, OpenBuiltin(config.path));
    return std::move(checkpoint.architecture);
  }
  BATON_RETURN_IF_ERROR(CheckIsDirectory(config.path));
  std::string config_text;
  BATON_ASSIGN_OR_RETURN(ParsedConfig parsed, ReadConfig(config.path, &config_text));
  return std::move(parsed.architecture);
}

absl::StatusOr<Checkpoint> OpenCheckpoint(const ModelConfig& config) {
  if (absl::StartsWith(config.path, kBuiltinPrefix)) return OpenBuiltin(config.path);
  return OpenDirectory(config);
}

}  // namespace baton
