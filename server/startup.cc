#include "server/startup.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"

namespace baton {

std::map<std::string, std::string> Environment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return environment;
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path, std::size_t bytes_max) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (file == nullptr) {
    return absl::NotFoundError(absl::StrFormat("cannot read %s: %s", path, std::strerror(errno)));
  }
  std::string text(bytes_max + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    return absl::NotFoundError(absl::StrFormat("cannot read %s: %s", path, std::strerror(errno)));
  }
  if (text.size() > bytes_max) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: larger than %d bytes", path, bytes_max));
  }
  return text;
}

absl::StatusOr<LoadedConfig> LoadFor(Role role, const CommandLine& command_line) {
  LoadInputs inputs{.role = role,
                    .file_name = command_line.config_file,
                    .file_text = "",
                    .environment = Environment(),
                    .flags = command_line.settings,
                    .lenient = command_line.lenient};
  if (inputs.file_name.empty()) inputs.file_name = ConfigFileFromEnvironment(inputs.environment);
  if (!inputs.file_name.empty()) {
    BATON_ASSIGN_OR_RETURN(inputs.file_text, ReadTextFile(inputs.file_name));
  }
  return LoadConfig(inputs);
}

void StartLogFor(const LoadedConfig& loaded, const CommandLine& command_line) {
  const ObservabilityConfig& knobs = loaded.config.observability;
  const LogLevel level = knobs.log_level == "debug"   ? LogLevel::kDebug
                         : knobs.log_level == "warn"  ? LogLevel::kWarn
                         : knobs.log_level == "error" ? LogLevel::kError
                                                      : LogLevel::kInfo;
  StartLog(level, knobs.log_format == "json" ? LogFormat::kJson : LogFormat::kText,
           SubcommandName(command_line.subcommand), loaded.config.server.worker_id);
  for (const auto* notices : {&command_line.notices, &loaded.notices}) {
    for (const Notice& notice : *notices) {
      if (notice.severity == Notice::Severity::kWarn) {
        BATON_WARN("%s", notice.text);
      } else {
        BATON_INFO("%s", notice.text);
      }
    }
  }
}

}  // namespace baton
