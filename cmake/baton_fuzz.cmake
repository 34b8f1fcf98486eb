# A libFuzzer target, built with clang under ASan and UBSan (preset `sanitized`) and nowhere else.
#
#   baton_fuzz(name SOURCES name_fuzz.cc [FILES ...] [DEPS ...] [CORPUS ...] [DICT file] [MAX_LEN n] [RUNS n])
#
# FILES are the product's own sources that it tries, from the root: a target compiles these alone, not their whole
# room. Seeds are tests/fuzz/corpus/<name> and the directories in CORPUS; what a run finds stays in the build. An input
# longer than MAX_LEN (4096) is not made. Label `fuzz`: 15 s; label `millions`: RUNS inputs, 10^6 unless one costs
# milliseconds.
set(BATON_FUZZ_SECONDS 15)
set(BATON_FUZZ_RUNS 1000000)

# Everything that ./test fuzzes.
add_custom_target(fuzz_tests)

function(baton_fuzz name)
  cmake_parse_arguments(FUZZ "" "DICT;MAX_LEN;RUNS" "SOURCES;FILES;DEPS;CORPUS" ${ARGN})
  if(NOT FUZZ_MAX_LEN)
    set(FUZZ_MAX_LEN 4096)
  endif()
  if(NOT FUZZ_RUNS)
    set(FUZZ_RUNS ${BATON_FUZZ_RUNS})
  endif()
  set(target ${name}_fuzz)
  list(TRANSFORM FUZZ_FILES PREPEND ${PROJECT_SOURCE_DIR}/)
  add_executable(${target} ${FUZZ_SOURCES} ${FUZZ_FILES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PRIVATE ${FUZZ_DEPS})
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_tests ${target})

  set(found ${PROJECT_BINARY_DIR}/fuzz/${name})
  file(MAKE_DIRECTORY ${found}/corpus)
  set(seeds ${FUZZ_CORPUS})
  if(IS_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
    list(APPEND seeds ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  endif()
  # No input may take 10 s, or half a GiB; the sanitizers keep as much again.
  set(flags -max_len=${FUZZ_MAX_LEN} -timeout=10 -malloc_limit_mb=512 -rss_limit_mb=1024 -artifact_prefix=${found}/
            -print_final_stats=1 -verbosity=1)
  if(FUZZ_DICT)
    list(APPEND flags -dict=${CMAKE_CURRENT_SOURCE_DIR}/${FUZZ_DICT})
  endif()
  add_test(NAME ${target} COMMAND ${target} -max_total_time=${BATON_FUZZ_SECONDS} ${flags} ${found}/corpus ${seeds})
  set_tests_properties(${target} PROPERTIES LABELS fuzz TIMEOUT 120)
  add_test(NAME ${target}_millions COMMAND ${target} -runs=${FUZZ_RUNS} ${flags} ${found}/corpus ${seeds})
  set_tests_properties(${target}_millions PROPERTIES LABELS millions TIMEOUT 3600)
endfunction()
