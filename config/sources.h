// The sources of a configuration as lists of entries: the file, the environment's two families, the
// command line. Names are checked here; values are read by config/settings.h.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/settings.h"
#include "config/tree.h"

namespace baton {

/// The entries of a file's tree, in its order. Unknown keys are errors, or with `inputs.lenient`
/// warnings; what is wrong with the YAML itself is an error either way.
std::vector<Entry> FileEntries(const LoadInputs& inputs, Findings& findings);

/// LMCACHE_<KEY> for the flat keys. Unknown names warn: LMCache reads variables that are no keys.
std::vector<Entry> LmcacheEnvironment(const std::map<std::string, std::string>& environment,
                                      Findings& findings);

/// BATON_<PATH>, `__` between levels. Unknown names warn: Kubernetes sets
/// BATON_ROUTER_PORT=tcp://.. for a Service that is called baton-router. BATON_API_KEY is
/// `server.api_key`.
std::vector<Entry> BatonEnvironment(const std::map<std::string, std::string>& environment,
                                    Findings& findings);

/// The settings of the command line; a section's path takes a map: `--set router={port: 1}`.
std::vector<Entry> FlagEntries(const std::vector<FlagSetting>& flags, Findings& findings);

}  // namespace baton
