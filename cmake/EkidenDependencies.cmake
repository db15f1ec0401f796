# Every library that Ekiden uses comes from a Debian package (tools/packages lists them).
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(GTest CONFIG REQUIRED)
find_package(benchmark CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(date CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)

# What every target is compiled with.
add_library(ekiden_flags INTERFACE)
target_include_directories(ekiden_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(ekiden_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -Wswitch -Wthread-safety -Wthread-safety-beta -Wunused
  -fno-omit-frame-pointer)
target_compile_definitions(ekiden_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_link_options(ekiden_flags INTERFACE -fuse-ld=lld)
if(EKIDEN_SANITIZE)
  target_compile_options(ekiden_flags INTERFACE -fsanitize=${EKIDEN_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(ekiden_flags INTERFACE -fsanitize=${EKIDEN_SANITIZE})
endif()
