#!/bin/bash
# Installs into a temporary prefix and builds a program against it the two ways that C projects do:
# pkg-config and CMake. Never touches the machine's own prefix.
set -u
cd "$(dirname "$0")/../.."
. Tests/Packaging/checks.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix="$work/a prefix"
version=$(sed -n 's/^#define CMR_VERSION "\(.*\)"$/\1/p' include/cmreload.h)

tree() { (cd "$1" && find . ! -type d | LC_ALL=C sort); }
expected_tree='./include/cmreload.h
./lib/cmake/cmreload/cmreloadConfig.cmake
./lib/cmake/cmreload/cmreloadConfigVersion.cmake
./lib/libcmreload.so
./lib/libcmreload.so.1
./lib/pkgconfig/cmreload.pc'

check "installs below a prefix" make -s install PREFIX="$prefix"
check "installs exactly its files" prints "$expected_tree" tree "$prefix"
check "links the development name to the SONAME" \
    prints libcmreload.so.1 readlink "$prefix/lib/libcmreload.so"
check "installs the same again without complaint" make -s install PREFIX="$prefix"

check "stages below DESTDIR" make -s install DESTDIR="$work/stage" PREFIX=/usr
check "stages exactly its files" prints "$expected_tree" tree "$work/stage/usr"
check "a staged pkg-config file names the final prefix" \
    grep -qx 'prefix=/usr' "$work/stage/usr/lib/pkgconfig/cmreload.pc"

if command -v pkg-config >/dev/null; then
    export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
    check "pkg-config knows the version" prints "$version" pkg-config --modversion cmreload
    # eval: pkg-config quotes for a shell, the way a makefile passes its words on.
    with_pkg_config() {
        eval cc -o "'$work/consumer'" Tests/Packaging/consumer.c \
            "$(pkg-config --cflags --libs cmreload)"
    }
    check "a program compiles with pkg-config" with_pkg_config
    check "and runs" prints "libcmreload $version" \
        env LD_LIBRARY_PATH="$prefix/lib" "$work/consumer"
else
    skip "a program compiles with pkg-config: pkg-config is missing"
fi

if command -v cmake >/dev/null; then
    configure() {
        cmake -S Tests/Packaging/cmake -B "$work/$1" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED="$2"
    }
    refuses() { ! "$@"; }
    major=${version%%.*}
    check "CMake finds the package" configure found ""
    check "a program compiles with CMake" cmake --build "$work/found"
    check "and runs" prints "libcmreload $version" "$work/found/consumer"
    check "CMake accepts the version" configure same "$version"
    check "CMake accepts an older minor" configure older "$major.0"
    check "CMake refuses a newer minor" refuses configure minor "$major.999"
    check "CMake refuses another major" refuses configure major "$((major + 1)).0"
else
    skip "a program finds the package with CMake: cmake is missing"
fi

summary
