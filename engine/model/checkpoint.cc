#include "engine/model/checkpoint.h"

#include <chrono>
#include <cstdint>
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
#include "engine/model/revision_memory.h"
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

// The state that a directory's revision belongs to; nothing where its path has no canonical form.
std::optional<RevisionKey> KeyOf(const std::string& directory, const std::string& config_text,
                                 const CheckpointFiles& files) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(directory, error);
  if (error) return std::nullopt;
  Sha256 hash;
  hash.AddString(config_text);
  return RevisionKey{.model_directory = path.string(),
                     .text = absl::StrCat("directory ", path.string(), "\nconfig ",
                                          ToHex(hash.Finish()), "\n", files.StateText()),
                     .changed_ns = files.changed_ns()};
}

std::int64_t NanosecondsSinceEpoch() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

/// Of a directory's files: remembered, or a digest over the configuration and every byte.
struct FilesRevision {
  const CheckpointFiles* files;
  std::string config_text;
  std::optional<RevisionKey> key;
  RevisionMemory memory;

  absl::StatusOr<std::string> operator()(const OnBytes& on_bytes) const {
    const std::optional<std::string> known =
        key.has_value() ? memory.Recall(*key) : std::optional<std::string>();
    if (known.has_value()) {
      files->Prefetch(on_bytes);
      return *known;
    }
    const std::int64_t began = NanosecondsSinceEpoch();
    Sha256 hash;
    hash.AddString(config_text);
    BATON_RETURN_IF_ERROR(files->AddTo(hash, on_bytes));
    std::string revision = ToHex(hash.Finish());
    BATON_RETURN_IF_ERROR(files->CheckUnchanged());
    if (!key.has_value()) return revision;
    if (const absl::Status kept = memory.Remember(*key, revision, began); !kept.ok()) {
      BATON_INFO("the weights' revision is not remembered, the next start reads all of them: %s",
                 std::string(kept.message()));
    }
    return revision;
  }
};

absl::Status OpenFiles(const ModelConfig& config, const std::string& cache_directory,
                       std::string config_text, Checkpoint& checkpoint) {
  BATON_ASSIGN_OR_RETURN(std::unique_ptr<CheckpointFiles> files,
                         CheckpointFiles::Open(config.path));
  checkpoint.bytes = files->bytes();
  if (config.revision.empty()) {
    std::optional<RevisionKey> key = KeyOf(config.path, config_text, *files);
    checkpoint.revision = FilesRevision{files.get(), std::move(config_text), std::move(key),
                                        RevisionMemory(cache_directory)};
  } else {
    checkpoint.revision = [stated = config.revision](const OnBytes&) { return stated; };
  }
  checkpoint.check_unchanged = [files = files.get()] { return files->CheckUnchanged(); };
  checkpoint.source = std::move(files);
  const std::string tokenizer = config.path + "/tokenizer.json";
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

absl::StatusOr<Checkpoint> OpenDirectory(const ModelConfig& config,
                                         const std::string& cache_directory) {
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
    BATON_RETURN_IF_ERROR(OpenFiles(config, cache_directory, std::move(config_text), checkpoint));
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

absl::StatusOr<Checkpoint> OpenCheckpoint(const ModelConfig& config,
                                          const std::string& cache_directory) {
  if (absl::StartsWith(config.path, kBuiltinPrefix)) return OpenBuiltin(config.path);
  return OpenDirectory(config, cache_directory);
}

}  // namespace baton
