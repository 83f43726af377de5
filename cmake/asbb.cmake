# What every folder's CMakeLists.txt uses: one library target per folder, one test target beside it.

find_program(ASBB_CCACHE ccache)
if(ASBB_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache wants to be told before it keeps objects that use a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${ASBB_CCACHE})
endif()
find_program(ASBB_MOLD mold)
if(ASBB_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(ASBB_SANITIZE "" CACHE STRING "sanitizers of everything but the plugin: 'address,undefined' or 'thread'")

set(ASBB_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wnon-virtual-dtor -Woverloaded-virtual -Werror -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # std::stable_sort of libstdc++ 12 calls what C++17 deprecates.
  list(APPEND ASBB_WARNINGS -Wno-deprecated-declarations)
endif()
add_library(asbb_options INTERFACE)
target_compile_options(asbb_options INTERFACE ${ASBB_WARNINGS})
target_include_directories(asbb_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(ASBB_SANITIZE)
  # g++ 12 warns falsely of uninitialised members when it instruments (std::regex, std::optional).
  # Checks of every pointer that is followed cost a third of the compiler's time; a null pointer or
  # one beyond its object is AddressSanitizer's.
  target_compile_options(asbb_options INTERFACE -fsanitize=${ASBB_SANITIZE}
    -fno-sanitize=null,alignment,object-size -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(asbb_options INTERFACE -fsanitize=${ASBB_SANITIZE})
else()
  target_compile_options(asbb_options INTERFACE -D_FORTIFY_SOURCE=2)
endif()

# The headers of the standard library and of GoogleTest are compiled once for all folders: a third of
# the time of a build for tests. What is installed is built without, so that no include is missing.
option(ASBB_PRECOMPILE "precompile the standard headers" OFF)
if(ASBB_PRECOMPILE)
  set(standard_headers <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable>
    <cstdint> <cstdlib> <cstring> <exception> <filesystem> <fstream> <functional> <iterator>
    <limits> <map> <memory> <mutex> <optional> <ostream> <set> <sstream> <string> <string_view>
    <thread> <unordered_map> <utility> <variant> <vector>)
  file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cc "")
  add_library(asbb_headers OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
  target_link_libraries(asbb_headers PRIVATE asbb_options)
  target_precompile_headers(asbb_headers PRIVATE ${standard_headers})
  add_library(asbb_test_headers OBJECT ${CMAKE_BINARY_DIR}/precompiled.cc)
  find_package(GTest REQUIRED)
  target_link_libraries(asbb_test_headers PRIVATE asbb_options GTest::gmock GTest::gtest)
  target_compile_options(asbb_test_headers PRIVATE -Wno-dangling-else)
  target_precompile_headers(asbb_test_headers PRIVATE ${standard_headers} <gmock/gmock.h>
    <gtest/gtest.h>)
endif()

# asbb_library(NAME [TOGETHER] SOURCES a.cc b.cc DEPS other_targets...)
# TOGETHER: several sources are compiled as one, which halves the time of a whole build. A name in
# an anonymous namespace is then taken for the folder.
function(asbb_library name)
  cmake_parse_arguments(ARG "TOGETHER" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  if(ARG_TOGETHER)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 5)
  endif()
  target_link_libraries(${name} PUBLIC asbb_options ${ARG_DEPS})
  if(ASBB_PRECOMPILE)
    target_precompile_headers(${name} REUSE_FROM asbb_headers)
  endif()
endfunction()

# asbb_program(NAME SOURCES main.cc DEPS targets...)
function(asbb_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE asbb_options ${ARG_DEPS})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# asbb_test(NAME SOURCES a_test.cc DEPS targets... [LABELS slow])
# Tests without a label are the fast suite.
function(asbb_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT BUILD_TESTING)
    return()
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE asbb_options ${ARG_DEPS} GTest::gmock GTest::gtest
    GTest::gtest_main)
  # EXPECT_* after an if is an if with an else.
  target_compile_options(${name} PRIVATE -Wno-dangling-else)
  if(ASBB_PRECOMPILE)
    target_precompile_headers(${name} REUSE_FROM asbb_test_headers)
  endif()
  target_compile_definitions(${name} PRIVATE ASBB_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  if(ARG_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
  else()
    set_tests_properties(${name} PROPERTIES LABELS fast)
  endif()
endfunction()
