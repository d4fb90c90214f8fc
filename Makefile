# Builds, tests, packs and installs libcmreload. SwiftPM compiles; what it cannot say stands here and in .ci/.
#
#   make           build/lib/libcmreload.so.1, laid out as it is installed (build/ serves as a PREFIX)
#   make demo      shows a reload from beginning to end
#   make test      every functional test, at most 10 minutes
#   make check     the rest of what CI runs: sanitizers, valgrind, repetitions, faults, at most 25 minutes
#   make bench     measures against the thresholds
#   make install   PREFIX=/usr/local DESTDIR=
#   make dist      dist/libcmreload-VERSION-linux-x86_64.tar.gz of what is installed
#   make format    formats the Swift sources in place

PREFIX  ?= /usr/local
DESTDIR ?=
SHELL   := /bin/bash -o pipefail

# The header is the one place that states the version.
VERSION := $(shell sed -n 's/^\#define CMR_VERSION "\(.*\)"$$/\1/p' include/cmreload.h)
PACKAGE := libcmreload-$(VERSION)-linux-x86_64

EMBEDDED := .build-embedded/release/libcmreload.so
LIBRARY  := build/lib/libcmreload.so.1
# What is installed, below a prefix; the link libcmreload.so comes on top.
FILES    := lib/libcmreload.so.1 include/cmreload.h lib/pkgconfig/cmreload.pc \
            lib/cmake/cmreload/cmreloadConfig.cmake lib/cmake/cmreload/cmreloadConfigVersion.cmake

.PHONY: all normal demo test check bench install dist format clean FORCE
.DELETE_ON_ERROR:

all: $(FILES:%=build/%) build/lib/libcmreload.so

# SwiftPM decides what is stale, so it is asked each time; what follows depends on whether the file changed.
$(EMBEDDED): FORCE
	@CMRELOAD_EMBEDDED=1 swift build -q -c release --scratch-path .build-embedded --product cmreload \
	    --disable-local-rpath

$(LIBRARY): $(EMBEDDED)
	@mkdir -p $(@D)
	strip --strip-unneeded -o $@ $<

build/lib/libcmreload.so: $(LIBRARY)
	@ln -sfn libcmreload.so.1 $@

build/include/cmreload.h: include/cmreload.h
	@install -D -m 644 $< $@

# Relocatable: pkg-config finds the prefix from where the file lies. `make install` writes the real one.
build/lib/pkgconfig/cmreload.pc: PREFIX_TEXT = $${pcfiledir}/../..
build/lib/pkgconfig/%.pc: bindings/c/%.pc.in include/cmreload.h Makefile
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX_TEXT)|' -e 's|@VERSION@|$(VERSION)|' $< > $@

build/lib/cmake/cmreload/%.cmake: bindings/c/%.cmake.in include/cmreload.h Makefile
	@mkdir -p $(@D)
	@sed -e 's|@VERSION@|$(VERSION)|' $< > $@

# The same sources with the full runtime, tests included: for swift test, sanitizers and the debugger. Laid out as
# a prefix too, so that what runs against build/ runs against build/normal/.
normal:
	@swift build -q --build-tests
	@$(call prefix_of,build/normal,.build)

# The prefix $(1), made of links to what the scratch folder $(2) holds.
prefix_of = mkdir -p $(1)/lib && ln -sfn ../../include $(1)/include && \
    ln -sfn ../../../$(2)/debug/libcmreload.so $(1)/lib/libcmreload.so.1 && \
    ln -sfn libcmreload.so.1 $(1)/lib/libcmreload.so

# .ci/suite keeps what a suite says in build/test/NAME.log and never fails; .ci/summary judges them all.
# Tools for the packaging tests are wanted, not needed: without them a test says that it was skipped.
test: all normal
	@.ci/tools gcc g++ python3 strip readelf
	@.ci/tools $(if $(CI),,--optional) pkg-config cmake
	@rm -rf build/test
	@.ci/suite build/test swift          swift test --skip-build
	@.ci/suite build/test header         Tests/ABITests/header/check.sh $(LIBRARY) build/normal/lib/libcmreload.so.1
	@.ci/suite build/test abi            Tests/ABITests/run.sh build
	@.ci/suite build/test abi-normal     Tests/ABITests/run.sh build/normal
	@.ci/suite build/test scenarios      Tests/Scenarios/run.sh build
	@.ci/suite build/test scenarios-normal Tests/Scenarios/run.sh build/normal
	@.ci/suite build/test examples       bindings/c/examples/test.sh build
	@.ci/suite build/test readme         Tests/Readme/test.sh build
	@.ci/suite build/test binary         Tests/Packaging/binary.sh
	@.ci/suite build/test install        Tests/Packaging/install.sh
	@.ci/suite build/test dist           Tests/Packaging/dist.sh
	@.ci/summary build/test

# What costs more: the same tests under sanitizers and valgrind, repetitions, faults, and the form of the sources.
check: all
	@.ci/tools gcc python3 valgrind strace
	@rm -rf build/check
	@.ci/suite build/check structure     Tests/Structure/structure.py
	@.ci/suite build/check format        Tests/Structure/format.sh
	@.ci/summary build/check

demo: all
	@bindings/c/demo.sh build

bench: all
	@Benchmarks/run.sh

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
	@for file in LICENSE README.md CHANGELOG.md; do if [ -f $$file ]; then cp $$file dist/$(PACKAGE); fi; done
	@tar -C dist --sort=name --owner=0 --group=0 --numeric-owner -czf dist/$(PACKAGE).tar.gz $(PACKAGE)
	@rm -rf dist/$(PACKAGE)
	@echo dist/$(PACKAGE).tar.gz

format:
	@swift format -i -r -p Package.swift Sources Tests

clean:
	rm -rf build dist .build .build-embedded .build-thread .build-address

FORCE:
