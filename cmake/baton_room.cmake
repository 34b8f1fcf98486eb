# One library a room. DEPS are all that it can link; tests/tidy checks that its includes agree.
function(baton_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ROOM_SOURCES)
    add_library(baton_${name} STATIC ${ROOM_SOURCES})
    target_include_directories(baton_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(baton_${name} PUBLIC ${ROOM_DEPS} PRIVATE ${ROOM_PRIVATE_DEPS})
  else()
    add_library(baton_${name} INTERFACE)
    target_include_directories(baton_${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(baton_${name} INTERFACE ${ROOM_DEPS})
  endif()
endfunction()

# Everything that ./test runs under ASan and UBSan as well.
add_custom_target(sanitized_tests)

# A GoogleTest executable. LABEL: quick (unit, conformance, tidy), full or night. Quick tests run sanitized too,
# unless they are NOT_SANITIZED.
function(baton_test name)
  cmake_parse_arguments(TEST "NOT_SANITIZED" "LABEL;TIMEOUT" "SOURCES;DEPS;ARGS" ${ARGN})
  if(NOT TEST_LABEL)
    set(TEST_LABEL quick)
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE BATON_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                             BATON_BINARY_DIR="${PROJECT_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name} ${TEST_ARGS})
  if(BATON_SANITIZE)
    target_compile_options(${name} PRIVATE -O0)  # the macros of a suite compile in half the time
    math(EXPR TEST_TIMEOUT "${TEST_TIMEOUT} * 5")
  endif()
  if(TEST_LABEL STREQUAL quick AND NOT TEST_NOT_SANITIZED)
    list(APPEND TEST_LABEL sanitized)
    add_dependencies(sanitized_tests ${name})
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABEL}" TIMEOUT ${TEST_TIMEOUT})
endfunction()
