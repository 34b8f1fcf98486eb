# Precompiled headers, for builds that are made once from nothing: less than half the compiling. Off where files are
# edited, since they hide a missing include and the compiler cache cannot see through them.
option(BATON_PCH "precompile what most files include" OFF)

# Every library and executable below `directory` shares one precompiled header.
function(baton_precompile directory)
  if(NOT BATON_PCH)
    return()
  endif()
  if(NOT TARGET baton_pch)
    file(WRITE ${PROJECT_BINARY_DIR}/pch.cc "")
    add_library(baton_pch STATIC ${PROJECT_BINARY_DIR}/pch.cc)
    target_link_libraries(baton_pch PRIVATE absl::statusor absl::str_format GTest::gmock)
    target_precompile_headers(baton_pch PRIVATE
      <gmock/gmock.h> <gtest/gtest.h> <algorithm> <array> <chrono> <deque> <functional> <map> <memory> <optional>
      <random> <span> <string> <variant> <vector> <absl/status/statusor.h> <absl/strings/str_cat.h>
      <absl/strings/str_format.h> <absl/strings/str_join.h>)
  endif()
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type MATCHES "STATIC_LIBRARY|EXECUTABLE" AND NOT target STREQUAL baton_pch)
      target_precompile_headers(${target} REUSE_FROM baton_pch)
    endif()
  endforeach()
  get_property(folders DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(folder IN LISTS folders)
    baton_precompile(${folder})
  endforeach()
endfunction()
