# What the benchmarks share: an optimised build in build/bench, and where it was measured. Sourced from the project's folder.
# shellcheck shell=bash

bench_build() { # TARGET...
  cmake -S . -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -g1 -DNDEBUG" -DASBB_BENCH=ON -DBUILD_TESTING=OFF >/dev/null
  cmake --build build/bench --target "$@" >/dev/null
}

bench_machine() { echo "$(nproc) cores ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1))"; }
