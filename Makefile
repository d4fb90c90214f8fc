# Builds, tests, packs and installs libcmreload. SwiftPM compiles; what it cannot say stands here
# and in .ci/.
#
#   make           build/lib/libcmreload.so.1; build/ is laid out as what is installed
#   make demo      shows a reload from beginning to end
#   make test      every functional test, at most 10 minutes
#   make check     the rest of what CI runs: sanitizers, valgrind, faults, at most 25 minutes
#   make fuzz      SECONDS=60 TARGET=all: fuzzes what reads bytes of others
#   make bench     measures against the thresholds, about 20 minutes; QUICK=1: 5
#   make soak      MINUTES=15: hundreds of mounts, three languages at once; build/soak/soak.svg
#   make coverage  which lines of Sources the tests run, and why the others are not
#   make mutations makes twenty bugs, each of which a test must notice; about 20 minutes
#   make install   PREFIX=/usr/local DESTDIR=
#   make dist      dist/libcmreload-VERSION-linux-x86_64.tar.gz of what is installed, and the
#                  package for Go
#   make wheel     dist/cmreload-VERSION-…manylinux….whl and the sdist: import cmreload
#   make format    formats the Swift sources in place

PREFIX  ?= /usr/local
DESTDIR ?=
SHELL   := /bin/bash -o pipefail

# The header is the one place that states the version.
VERSION := $(shell sed -n 's/^\#define CMR_VERSION "\(.*\)"$$/\1/p' include/cmreload.h)
PACKAGE := libcmreload-$(VERSION)-linux-x86_64

EMBEDDED := .build-embedded/release/libcmreload.so
LIBRARY  := build/lib/libcmreload.so.1
NORMAL   := build/normal/lib/libcmreload.so.1
# What is installed, below a prefix; the link libcmreload.so comes on top.
FILES    := lib/libcmreload.so.1 include/cmreload.h lib/pkgconfig/cmreload.pc \
            lib/cmake/cmreload/cmreloadConfig.cmake lib/cmake/cmreload/cmreloadConfigVersion.cmake

.PHONY: all normal address thread demo test check fuzz bench soak coverage mutations install dist \
        wheel format clean FORCE
.DELETE_ON_ERROR:

all: $(FILES:%=build/%) build/lib/libcmreload.so

# SwiftPM decides what is stale, so it is asked each time; what follows depends on whether the file
# changed.
$(EMBEDDED): FORCE
	@.ci/tools swift strip libyaml
	@CMRELOAD_EMBEDDED=1 swift build -q -c release --scratch-path .build-embedded --product cmreload \
	    --disable-local-rpath

$(LIBRARY): $(EMBEDDED)
	@mkdir -p $(@D)
	strip --strip-unneeded -o $@ $<

build/lib/libcmreload.so: $(LIBRARY)
	@ln -sfn libcmreload.so.1 $@

build/include/cmreload.h: include/cmreload.h
	@install -D -m 644 $< $@

# Relocatable: pkg-config finds the prefix from where the file lies. `make install` writes the real
# one.
build/lib/pkgconfig/cmreload.pc: PREFIX_TEXT = $${pcfiledir}/../..
build/lib/pkgconfig/%.pc: bindings/c/%.pc.in include/cmreload.h Makefile
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX_TEXT)|' -e 's|@VERSION@|$(VERSION)|' $< > $@

build/lib/cmake/cmreload/%.cmake: bindings/c/%.cmake.in include/cmreload.h Makefile
	@mkdir -p $(@D)
	@sed -e 's|@VERSION@|$(VERSION)|' $< > $@

# The same sources with the full runtime, tests included: for swift test, sanitizers and the
# debugger. Each is laid out as a prefix too, so that what runs against build/ runs against it.
normal:
	@.ci/tools swift libyaml
	@swift build -q --build-tests
	@$(call prefix_of,$@,.build)

address thread:
	@.ci/tools swift libyaml
	@swift build -q --build-tests --sanitize=$@ --scratch-path .build-$@ $(LINKING)
	@$(call prefix_of,$@,.build-$@)

# The library that is sanitized for addresses goes without memory where a test wants it to.
address: build/faults/refusal.o
address: LINKING = $(addprefix -Xlinker ,$(REFUSABLE:%=--wrap=%) $(abspath build/faults/refusal.o))
REFUSABLE := cs_allocate cs_allocate_lines cs_allocate_for_caller

build/faults/refusal.o: Tests/Faults/refusal.c
	@.ci/tools gcc
	@mkdir -p $(@D)
	@gcc -c -std=c11 -O1 -g -fPIC -Wall -Wextra -Werror -o $@ $<

# The prefix build/$(1), made of links to what the scratch folder $(2) holds.
prefix_of = mkdir -p build/$(1)/lib && ln -sfn ../../include build/$(1)/include && \
    ln -sfn ../../../$(2)/debug/libcmreload.so build/$(1)/lib/libcmreload.so.1 && \
    ln -sfn libcmreload.so.1 build/$(1)/lib/libcmreload.so

# What has to be built is part of the time that all suites together take.
%-begins:
	@rm -rf build/$* && mkdir -p build/$* && touch build/$*/began

# .ci/suite keeps what a suite says in build/test/NAME.log and never fails; .ci/summary judges all.
# Tools that only tests need are wanted, not needed: without them a test says it was skipped.
test: test-begins all normal
	@.ci/tools gcc g++ python3 python3-venv strip readelf pkg-config
	@.ci/tools $(if $(CI),,--optional) cmake promtool client_golang
	@.ci/suite $@ swift             swift test --skip-build --disable-xctest
	@.ci/suite $@ header            Tests/ABITests/header/check.sh $(LIBRARY) $(NORMAL)
	@.ci/suite $@ abi               Tests/ABITests/run.sh build
	@.ci/suite $@ abi-normal        Tests/ABITests/run.sh build/normal
	@.ci/suite $@ scenarios         Tests/Scenarios/run.sh build
	@.ci/suite $@ scenarios-normal  Tests/Scenarios/run.sh build/normal
	@.ci/suite $@ model             Tests/Model/run.sh build
	@.ci/suite $@ model-failing     Tests/Model/failing.sh build
	@.ci/suite $@ fuzz-corpus       Tests/Fuzz/replay.sh build
	@.ci/suite $@ examples          bindings/c/examples/test.sh build
	@.ci/suite $@ demo              sh -c 'bindings/c/demo.sh build && echo 1 passed, 0 failed'
	@.ci/suite $@ python            bindings/python/test.sh pytest -n 3 --ignore tests/test_scenarios.py
	@.ci/suite $@ python-scenarios  bindings/python/test.sh pytest -n 3 tests/test_scenarios.py
	@.ci/suite $@ readme            Tests/Readme/test.sh build
	@.ci/suite $@ observability     Tests/Observability/test.sh build
	@.ci/suite $@ go                bindings/go/test.sh build
	@.ci/suite $@ go-prometheus     bindings/go/cmreloadprometheus/test.sh build
	@.ci/suite $@ binary            Tests/Packaging/binary.sh
	@.ci/suite $@ install           Tests/Packaging/install.sh
	@.ci/suite $@ dist              Tests/Packaging/dist.sh
	@.ci/summary build/test

# What costs more: the form of the sources, the same tests under sanitizers and valgrind, stress,
# and every system call and allocation failing once. A sanitized library shares its runtime with a
# host that clang built; the shipped one is tested inside such a host as it is. Config has no
# threads; of the stress programs those that count threads and memory find ThreadSanitizer's own.
check: check-begins all normal address thread
	@.ci/tools gcc python3 valgrind strace abidiff
	@.ci/suite $@ structure         Tests/Structure/structure.py
	@.ci/suite $@ suites            Tests/Structure/suites.sh
	@.ci/suite $@ format            Tests/Structure/format.sh
	@.ci/suite $@ abi-gate          Tests/ABI/gate.sh
	@.ci/suite $@ python-header     bindings/python/generate.py --check
	@.ci/suite $@ python-style      bindings/python/style.sh
	@.ci/suite $@ python-repeated   env CMRELOAD_REPETITIONS=200 bindings/python/test.sh \
	    pytest -n 2 tests/test_processes.py tests/test_mapping.py
	@.ci/suite $@ python-versions   bindings/python/versions.sh
	@.ci/suite $@ go-updates        env CMRELOAD_UPDATES=10000 bindings/go/test.sh build \
	    -count=1 -run=TestReadersSeeOneVersion
	@.ci/suite $@ go-repeated       bindings/go/test.sh build -race -count=4
	@.ci/suite $@ go-pointers       env GOEXPERIMENT=cgocheck2 bindings/go/test.sh build -count=1
	@.ci/suite $@ go-oldest         env GO=1.23.9 bindings/go/test.sh build -count=1
	@.ci/suite $@ go-normal         bindings/go/test.sh build/normal -count=1
	@.ci/suite $@ swift-address     env LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp $(call swift_test,address)
	@.ci/suite $@ swift-thread      $(call swift_test,thread) --filter ReloadTests
	@.ci/suite $@ abi-address       Tests/ABITests/run.sh build --address
	@LIMIT=1200 .ci/suite $@ abi-address-core  Tests/ABITests/run.sh build/address --address
	@.ci/suite $@ abi-thread-core   Tests/ABITests/run.sh build/thread --thread
	@LIMIT=1800 .ci/suite $@ abi-valgrind      Tests/ABITests/run.sh build --valgrind
	@.ci/suite $@ scenarios-address env CC=clang CFLAGS='$(ADDRESS)' Tests/Scenarios/run.sh build/address
	@.ci/suite $@ fuzz-address      env CC=clang CFLAGS='$(ADDRESS)' Tests/Fuzz/replay.sh build/address
	@.ci/suite $@ fuzz              Tests/Fuzz/fuzz.sh all 2 -seed=1 -runs=20000
	@.ci/suite $@ faults            Tests/Faults/faults.py build
	@.ci/suite $@ faults-memory     Tests/Faults/allocations.sh build/address
	@.ci/suite $@ model             Tests/Model/run.sh build --seconds 15
	@.ci/suite $@ model-address     Tests/Model/run.sh build/address --address --seconds 15
	@LIMIT=1200 .ci/suite $@ stress            Tests/Stress/run.sh 60
	@CC=clang CFLAGS='$(ADDRESS)' .ci/suite $@ stress-address    Tests/Stress/run.sh 0 rollback
	@CMRELOAD_PREFIX=$(CURDIR)/build/thread CC=clang CFLAGS='$(THREAD)' .ci/suite $@ stress-thread \
	    Tests/Stress/run.sh 4 start_race blocked_callbacks consistency
	@.ci/suite $@ soak              Tests/Soak/run.sh 1 --mounts 100
	@.ci/suite $@ soak-faults       Tests/Soak/run.sh 0.5 --mounts 40 --faults
	@.ci/summary build/check

ADDRESS    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
# ThreadSanitizer's runtime is Swift's too, and asks for libdispatch.
THREAD      = -fsanitize=thread -L$(RUNTIME) -Wl,-rpath,$(RUNTIME) -ldispatch -lBlocksRuntime
RUNTIME     = $(abspath $(dir $(realpath $(shell command -v swift)))../lib/swift/linux)
swift_test  = swift test --skip-build --disable-xctest --sanitize=$(1) --scratch-path .build-$(1)

demo: all
	@bindings/c/demo.sh build

# Each target for so many seconds: make fuzz SECONDS=1200 TARGET=yaml.
SECONDS := 60
TARGET  := all
fuzz:
	@.ci/tools swift clang libyaml
	@Tests/Fuzz/fuzz.sh $(TARGET) $(SECONDS)

bench: all
	@Benchmarks/run.sh

# What was observed is drawn whether all was well or not.
MINUTES := 15
soak: all
	@Tests/Soak/run.sh $(MINUTES); status=$$?; .ci/venv matplotlib==3.11.2 && \
	    build/venv/bin/python Tests/Soak/plot.py build/soak/samples.csv build/soak/soak.svg; exit $$status

coverage:
	@Tests/Coverage/run.sh

mutations:
	@.ci/tools swift gcc libyaml python3
	@Tests/Mutations/run.py

install: all
	@for file in $(FILES); do \
	    install -D -m 644 build/$$file "$(DESTDIR)$(PREFIX)/$$file" || exit; \
	done
	@sed -i 's|^prefix=.*|prefix=$(PREFIX)|' "$(DESTDIR)$(PREFIX)/lib/pkgconfig/cmreload.pc"
	@ln -sfn libcmreload.so.1 "$(DESTDIR)$(PREFIX)/lib/libcmreload.so"
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig || true; fi
	@echo "installed libcmreload $(VERSION) below $(DESTDIR)$(PREFIX)"

dist: all
	@rm -rf dist/$(PACKAGE) && mkdir -p dist/$(PACKAGE)
	@cd build && cp -a --parents $(FILES) lib/libcmreload.so ../dist/$(PACKAGE)
	@cp LICENSE README.md CHANGELOG.md dist/$(PACKAGE)
	@cd bindings/go && find . -path ./internal/reference -prune -o \( -name '*.go' \
	    ! -name '*_test.go' -o -name '*.[ch]' -o -name go.mod -o -name README.md \) \
	    -exec install -D -m 644 {} ../../dist/$(PACKAGE)/go/{} \;
	@tar -C dist --sort=name --owner=0 --group=0 --numeric-owner -czf dist/$(PACKAGE).tar.gz $(PACKAGE)
	@rm -rf dist/$(PACKAGE)
	@echo dist/$(PACKAGE).tar.gz

# A wheel with the library in it, for the glibc that it needs, and the source distribution.
wheel: all
	@.ci/tools python3 python3-venv readelf
	@CMRELOAD_WHEEL_LIBRARY=$(abspath $(LIBRARY)) bindings/python/test.sh \
	    python -m build --no-isolation --sdist --wheel --outdir $(abspath dist) . >/dev/null
	@bindings/python/test.sh auditwheel show $(abspath dist)/cmreload-$(VERSION)-py3-*.whl

format:
	@swift format -i -r -p Package.swift Sources Tests
	@bindings/python/test.sh ruff format -q

clean:
	rm -rf build dist .build .build-embedded .build-thread .build-address .build-fuzz .build-coverage

FORCE:
