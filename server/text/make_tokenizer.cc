// Which tokenizer a model has, and the files that it is made from.
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "server/text/byte_tokenizer.h"
#include "server/text/hf_tokenizer.h"
#include "server/text/token_id_tokenizer.h"
#include "server/text/tokenizer.h"

namespace baton {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kConfigFileBytesMax = 4 * 1024 * 1024;

absl::StatusOr<std::string> ReadBounded(const fs::path& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  if (!file || size < 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", path.string()));
  }
  if (static_cast<std::size_t>(size) > bytes_max) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s has %d bytes; %d are the most for such a file", path.string(), size, bytes_max));
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  file.read(text.data(), size);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path.string()));
  return text;
}

absl::StatusOr<std::unique_ptr<Tokenizer>> FromDirectory(const fs::path& directory) {
  BATON_ASSIGN_OR_RETURN(const std::string tokenizer,
                         ReadBounded(directory / "tokenizer.json", kTokenizerFileBytesMax));
  std::string config = "{}";
  if (fs::exists(directory / "tokenizer_config.json")) {
    BATON_ASSIGN_OR_RETURN(config,
                           ReadBounded(directory / "tokenizer_config.json", kConfigFileBytesMax));
  }
  absl::StatusOr<std::unique_ptr<HfTokenizer>> made = HfTokenizer::FromJson({tokenizer, config});
  if (!made.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat((directory / "").string(), made.status().message()));
  }
  if ((*made)->bytes_missing() > 0) {
    BATON_WARN("the vocabulary lacks %d of 256 bytes: text that holds them loses them",
               (*made)->bytes_missing());
  }
  if (!(*made)->is_machine_code()) {
    BATON_WARN(
        "this system refuses machine code made at run time: text is split by an interpreter, more "
        "slowly");
  }
  return std::unique_ptr<Tokenizer>(*std::move(made));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizer(const ModelConfig& model) {
  std::error_code error;
  if (!model.tokenizer.empty()) {
    if (fs::exists(fs::path(model.tokenizer) / "tokenizer.json", error)) {
      return FromDirectory(model.tokenizer);
    }
    return absl::NotFoundError(
        absl::StrCat("model.tokenizer: there is no tokenizer.json in ", model.tokenizer));
  }
  if (absl::StartsWith(model.path, "builtin:")) return std::make_unique<ByteTokenizer>();
  if (fs::exists(fs::path(model.path) / "tokenizer.json", error)) return FromDirectory(model.path);
  return std::make_unique<TokenIdTokenizer>();
}

}  // namespace baton
