# Base, ledger, store and the committer's logic once more, optimised and without sanitizers, for the
# tests whose worth is in how much they get through.

find_package(date REQUIRED)
find_package(GTest REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(tl-expected REQUIRED)

set(ledger_testing ${CMAKE_SOURCE_DIR}/src/ledger/testing)
set(optimised_sources ${CMAKE_SOURCE_DIR}/src/service/answer_shares.cc
  ${CMAKE_SOURCE_DIR}/src/service/committer_batch.cc
  ${ledger_testing}/broken_rule.cc ${ledger_testing}/random_commands.cc
  ${ledger_testing}/test_ledger.cc)
foreach(folder base ledger store)
  get_target_property(folder_sources asbb_${folder} SOURCES)
  foreach(source ${folder_sources})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR}/src/${folder})
    list(APPEND optimised_sources ${source})
    if(folder STREQUAL base)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endforeach()

add_library(asbb_optimised STATIC ${optimised_sources})
set_target_properties(asbb_optimised PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 5)
target_compile_options(asbb_optimised PUBLIC ${ASBB_WARNINGS} -O1)
target_include_directories(asbb_optimised PUBLIC ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(asbb_optimised PUBLIC tl::expected date::date-tz OpenSSL::Crypto
  SQLite::SQLite3 rapidcheck GTest::gtest GTest::gtest_main)

# asbb_long_test(NAME SOURCES a_test.cc)
function(asbb_long_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE asbb_optimised)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS fast)
endfunction()
