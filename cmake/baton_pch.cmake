# Precompiled headers, for builds that are made once from nothing: a third less compiling. Off where files are edited,
# since they hide a missing include and the compiler cache cannot see through them.
option(BATON_PCH "precompile what most files include" OFF)
if(BATON_PCH)
  # Users of GoogleTest and of gRPC get these from their targets; the header that all share needs them everywhere.
  add_compile_definitions(GTEST_HAS_PTHREAD=1)
  add_compile_options(-pthread)
  # GCC 12 warns falsely about std::string's own copies once its header comes precompiled; builds without know better.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>)
endif()

function(baton_pch_library name)
  file(WRITE ${PROJECT_BINARY_DIR}/${name}.cc "")
  add_library(${name} STATIC ${PROJECT_BINARY_DIR}/${name}.cc)
  target_compile_options(${name} PRIVATE ${ARGN})
  target_link_libraries(${name} PRIVATE absl::statusor absl::str_format)
  target_precompile_headers(${name} PRIVATE
    <gmock/gmock.h> <gtest/gtest.h> <algorithm> <array> <chrono> <deque> <functional> <map> <memory> <optional>
    <random> <span> <string> <variant> <vector> <absl/status/statusor.h> <absl/strings/str_cat.h>
    <absl/strings/str_format.h> <absl/strings/str_join.h>)
endfunction()

# Every library and executable below `directory` takes the header that was compiled with its optimisation.
function(baton_precompile directory)
  if(NOT BATON_PCH)
    return()
  endif()
  if(NOT TARGET baton_pch)
    baton_pch_library(baton_pch)
    baton_pch_library(baton_pch_o0 -O0)
  endif()
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(NOT type MATCHES "STATIC_LIBRARY|EXECUTABLE" OR target MATCHES "^baton_pch")
      continue()
    endif()
    get_target_property(options ${target} COMPILE_OPTIONS)
    if("-O0" IN_LIST options)
      target_precompile_headers(${target} REUSE_FROM baton_pch_o0)
    else()
      target_precompile_headers(${target} REUSE_FROM baton_pch)
    endif()
  endforeach()
  get_property(folders DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(folder IN LISTS folders)
    baton_precompile(${folder})
  endforeach()
endfunction()
