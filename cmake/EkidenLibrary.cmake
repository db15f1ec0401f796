include(GoogleTest)

# ekiden_library(NAME sql DEPS ekiden::base … PRIVATE_DEPS SQLite::SQLite3 …)
#
# Makes the library ekiden::NAME of all *.cpp below the calling folder, but for folders that have a CMakeLists.txt of
# their own. Files are sorted by their suffix: *_test.cpp go into the test program NAME_test (label `unit`, or
# `contract`), *_pgtest.cpp, *_redistest.cpp and *_kafkatest.cpp into NAME_pgtest … (labels `postgres`, `redis`,
# `kafka`: they need that server, tools/with_servers starts it), *_fuzz.cpp each make a libFuzzer target, *_bench.cpp
# are left to bench/. CONTRACT says that it is a port's adapter: its test is of label `contract`, and app links it by
# itself. A new source file touches no build file.
function(ekiden_library)
  cmake_parse_arguments(ARG "CONTRACT" "NAME" "DEPS;PRIVATE_DEPS;TEST_DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  file(GLOB_RECURSE nested CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*/CMakeLists.txt)
  foreach(list_file ${nested})
    get_filename_component(folder ${list_file} DIRECTORY)
    list(FILTER sources EXCLUDE REGEX "^${folder}/")
  endforeach()
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  set(all_sources ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|pgtest|redistest|kafkatest|fuzz|bench)\\.cpp$")

  set(target ekiden_${ARG_NAME})
  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC ekiden_flags ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ekiden_flags ${ARG_DEPS})
  endif()
  add_library(ekiden::${ARG_NAME} ALIAS ${target})

  if(ARG_CONTRACT)
    set_property(GLOBAL APPEND PROPERTY EKIDEN_ADAPTERS ekiden::${ARG_NAME})
    ekiden_tests(contract _test)
  else()
    ekiden_tests(unit _test)
  endif()
  ekiden_tests(postgres _pgtest)
  ekiden_tests(redis _redistest)
  ekiden_tests(kafka _kafkatest)
  if(fuzzers AND EKIDEN_FUZZ)
    foreach(file ${fuzzers})
      get_filename_component(name ${file} NAME_WE)
      add_executable(${name} ${file})
      target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      target_link_libraries(${name} PRIVATE ${target} ${ARG_PRIVATE_DEPS} ${ARG_TEST_DEPS})
      add_dependencies(ekiden_fuzzers ${name})
    endforeach()
  endif()
endfunction()

# The test program of one suffix, inside ekiden_library.
macro(ekiden_tests label suffix)
  set(tests ${all_sources})
  list(FILTER tests INCLUDE REGEX "${suffix}\\.cpp$")
  if(tests)
    set(program ${ARG_NAME}${suffix})
    add_executable(${program} ${tests})
    target_link_libraries(${program} PRIVATE ${target} ${ARG_PRIVATE_DEPS} ${ARG_TEST_DEPS} GTest::gmock GTest::gtest_main)
    target_compile_options(${program} PRIVATE -O0)  # the libraries run the hot loops: halves the compile time
    if(EKIDEN_SANITIZE)
      # A whole program in one process: it also finds tests that disturb each other, and starts far less often.
      add_test(NAME ${program} COMMAND ${program})
      set_tests_properties(${program} PROPERTIES LABELS ${label} TIMEOUT 900)
    else()
      gtest_discover_tests(${program} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
        TEST_PREFIX "${program}." PROPERTIES LABELS ${label} TIMEOUT 120)
    endif()
    add_dependencies(ekiden_${label}_tests ${program})
  endif()
endmacro()

foreach(label unit contract postgres redis kafka)
  add_custom_target(ekiden_${label}_tests)
endforeach()
add_custom_target(ekiden_fuzzers)

# ekiden_migrations(user) compiles the calling folder's migrations/*.sql into the library ekiden_user: as
# `migrations.inc`, a list of {"0001_users", R"sql(…)sql"} in order of name, for its service.cpp.
function(ekiden_migrations name)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/migrations/*.sql)
  list(SORT files)
  set(text "")
  foreach(file ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} sql)
    get_filename_component(step ${file} NAME_WE)
    string(APPEND text "{\"${step}\", R\"sql(${sql})sql\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/migrations.inc CONTENT "${text}" @ONLY)
  target_include_directories(ekiden_${name} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
