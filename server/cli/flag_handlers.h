// What flags do. Each handler reads the value that was typed and changes the parse; the table binds
// them to names.
#pragma once

#include <string>

#include "server/cli/flag_parse.h"
#include "server/cli/flag_table.h"

namespace baton {

// Knobs. `flag.path` is the knob's path; `ROLE` in it stands for the worker's role, or for both
// where the subcommand is none. `flag.text`, where not empty, is set in the place of a typed value.
void SetKnob(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void AppendToKnob(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetSecondsAsMs(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetTokens(FlagParse& parse, const FlagSpec& flag, const std::string& value);  // "32k"
void SetListenHost(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetListenPort(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetAny(FlagParse& parse, const FlagSpec& flag, const std::string& value);  // "path=value"
void SetModel(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetKvTransfer(FlagParse& parse, const FlagSpec& flag, const std::string& value);

// Flags without a counterpart. `flag.text` says why, and what to do instead.
void Ignore(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void WarnOf(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void Refuse(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void RefuseAboveOne(FlagParse& parse, const FlagSpec& flag, const std::string& value);

// Options that are no knobs.
void SetConfigFile(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetLenient(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetHelp(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetUp(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetGenerate(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetSelftest(FlagParse& parse, const FlagSpec& flag, const std::string& value);
void SetCheckConfig(FlagParse& parse, const FlagSpec& flag, const std::string& value);

}  // namespace baton
