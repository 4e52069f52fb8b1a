# mycompose - build, check, install.
# `make help` lists the targets; CONTRIBUTING notes are in docs/.

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
CC      ?= gcc
PYTHON  ?= /usr/bin/python3
VERSION := 0.1.0
comma := ,

PACKAGES := yaml-0.1 libcap nettle libcjson libnl-3.0 libseccomp
# Those that Debian has an archive of are linked in: the dynamic linker's work is a tenth of an `up` that has nothing to do, which
# runs it twice (see engine/container/self_exe.h).
# ARCHIVES= links all of them dynamically.
ARCHIVES ?= yaml-0.1 libcap nettle libnl-3.0 libseccomp
# Loaded when first used, see engine/image/tarball_libarchive.h, engine/net/nft_library.h and engine/net/iptc_family.h: only their
# headers are needed here.
LOADED   := libarchive libnftables libip4tc libip6tc

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wimplicit-fallthrough
CFLAGS   ?= -O2 -g
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CPPFLAGS += -I. -D_GNU_SOURCE -DMYCOMPOSE_VERSION='"$(VERSION)"' \
            $(shell pkg-config --cflags $(PACKAGES) $(LOADED) 2>/dev/null)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(HARDEN) $(CFLAGS) -include engine/base/banned.h
LDLIBS   := $(if $(ARCHIVES),-Wl$(comma)-Bstatic $(shell pkg-config --libs $(ARCHIVES) 2>/dev/null) -Wl$(comma)-Bdynamic) \
            $(shell pkg-config --libs $(filter-out $(ARCHIVES),$(PACKAGES)) 2>/dev/null)
LDFLAGS  += -pie -Wl,-z,relro,-z,now,-z,pack-relative-relocs

# A room is a folder with one static library; the list is ordered from the top of the dependency chain to its bottom.
ROOMS := cmd compose engine/supervisor engine/container engine/image engine/net engine/cgroup engine engine/base
room_lib = $(BUILD)/$(subst /,-,$(1)).a
LIBS := $(foreach r,$(ROOMS),$(call room_lib,$(r)))

# V=1 shows the commands.
ifeq ($(V),1)
quiet = $(2)
else
quiet = @printf '  %-5s %s\n' '$(1)' '$@'; $(2)
endif

.PHONY: all help deps deps-vm demo check check-vm check-reboot unit e2e lint fmt fmt-check asan bench bench-net bench-config bench-names fuzz fuzz-corpus fuzz-programs install clean images
all: $(BUILD)/mycompose

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC,$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<)

# $(1) = room: its library holds every .c directly in the folder, main.c excepted.
define room_rules
$(call room_lib,$(1)): $$(patsubst %.c,$$(BUILD)/%.o,$$(filter-out cmd/main.c,$$(wildcard $(1)/*.c)))
	@rm -f $$@
	$$(call quiet,AR,ar rcsD $$@ $$^)
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

# The linker lays out what it meets in this order. What loads a project, which nearly every command does, stands together: main and
# `config` pull in the loader, that the rooms and libraries below it; all other code comes after them. So a command touches fewer pages.
FIRST      := $(addprefix $(BUILD)/cmd/,main.o app.o flags.o config.o)
FIRST_LIBS := $(call room_lib,compose) $(call room_lib,engine/base) $(LDLIBS) $(call room_lib,engine)

$(BUILD)/mycompose: $(FIRST) $(LIBS)
	$(call quiet,LINK,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(FIRST) -Wl$(comma)--start-group $(FIRST_LIBS) $(filter-out $(FIRST_LIBS),$(LIBS)) -Wl$(comma)--end-group)

# Unit tests: tests/unit/ROOM/x_test.c -> build/tests/unit/ROOM/x_test, linked with its own room and the rooms it may use.
below_cmd               := $(ROOMS)
below_compose           := compose engine/base
below_engine/supervisor := engine/supervisor engine/container engine/image engine/net engine/cgroup engine engine/base
below_engine/container  := engine/container engine/image engine/net engine/cgroup engine engine/base
below_engine/image      := engine/image engine engine/base
below_engine/net        := engine/net engine engine/base
below_engine/cgroup     := engine/cgroup engine/base
below_engine             := engine engine/base
below_engine/base       := engine/base
UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*/*_test.c tests/unit/*/*/*_test.c))

define unit_rules
$(BUILD)/tests/unit/$(1)/%_test: $(BUILD)/tests/unit/$(1)/%_test.o $(foreach r,$(below_$(1)),$(call room_lib,$(r)))
	$$(call quiet,LINK,$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$< -Wl$$(comma)--start-group $(foreach r,$(below_$(1)),$(call room_lib,$(r))) -Wl$$(comma)--end-group $$(LDLIBS) -lcmocka)
unit-$(1): $$(patsubst %.c,$$(BUILD)/%,$$(wildcard tests/unit/$(1)/*_test.c))
	@tests/run-unit $$^
endef
$(foreach r,$(ROOMS),$(eval $(call unit_rules,$(r))))
.PRECIOUS: $(BUILD)/%.o

unit: $(UNIT_TESTS)
	@tests/run-unit $^

## make all        build build/mycompose (the default)
## make deps       install what building, testing and the examples need (apt, as root)
## make demo       the counter example, from nothing to a counting page (as root)
## make check      everything that must pass before a commit lands (as root)
## make unit       unit tests alone; make unit-ROOM those of one folder, say unit-engine/net
## make e2e        whole-program tests alone (as root); E2E="-k counter" selects
## make check-vm   a selection on Debian's stock kernel in an emulated machine (as root); KERNEL=13 for that release's
## make check-reboot   power cuts in that machine, each with a look at what is left; CUTS=10 for fewer
## make asan       unit tests under address and undefined-behaviour sanitizers
## make bench      figures beside the kernel's own price (as root)
## make bench-net  throughput beside veths and a bridge made by hand with the same rules (as root, two minutes)
## make bench-config   time and memory of `config`; DOCKER_COMPOSE=PATH measures that one too
## make bench-names    look-ups a second of the name service (as root)
## make fuzz       FUZZ_SECONDS (60) of random input for each parser, with clang; FUZZ="load short" selects
## make fmt, lint  put the sources in form; static checks
## make install    to $(DESTDIR)$(PREFIX)
## make clean

BUILD_PACKAGES := gcc make pkg-config libc6-dev libyaml-dev libcjson-dev libnl-3-dev libnl-route-3-dev libiptc-dev \
                  libip4tc-dev libip6tc-dev libnftables-dev libseccomp-dev libcap-dev libarchive-dev libcurl4-gnutls-dev nettle-dev
TEST_PACKAGES  := libcmocka-dev python3 python3-pytest python3-pytest-xdist iptables nftables iproute2 procps util-linux busybox-static \
                  curl cppcheck clang-format skopeo systemd
IMAGE_PACKAGES := mmdebstrap curl

VM_PACKAGES    := qemu-system-x86 kmod busybox-static xz-utils e2fsprogs

deps:
	@missing=$$(for p in $(BUILD_PACKAGES) $(TEST_PACKAGES) $(IMAGE_PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	[ -z "$$missing" ] || { echo "Installing: $$missing" && apt-get -qq update && \
		DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing >/dev/null; }

# Deps may have just been installed, and pkg-config is asked when make starts: hence the second make.
demo: deps
	@$(MAKE) --no-print-directory all
	@MYCOMPOSE=$(abspath $(BUILD))/mycompose examples/counter/demo.sh $(BUILD)/images

images: $(BUILD)/mycompose
	@TARS_ONLY=1 examples/counter/images.sh $(BUILD)/images

check: deps
	@tests/check $(MAKE)

deps-vm:
	@$(MAKE) --no-print-directory deps TEST_PACKAGES='$(TEST_PACKAGES) $(VM_PACKAGES)'

# cgroup v2 alone, modules loaded on demand, an older kernel: what this machine's own kernel may not show.
KERNEL ?= 12
check-vm: deps-vm $(BUILD)/mycompose $(BUILD)/tests/probe images $(filter $(BUILD)/tests/unit/engine/%,$(UNIT_TESTS))
	@tests/vm/check $(KERNEL) $(BUILD)/vm/$(KERNEL) $(BUILD)

# The same machine on a disk, cut off in the middle of things and booted again: 25 cuts are all there are.
CUTS ?= 25
check-reboot: deps-vm $(BUILD)/mycompose
	@tests/vm/reboot $(KERNEL) $(BUILD)/vm/$(KERNEL) $(BUILD) $(CUTS)

$(BUILD)/tests/probe: $(wildcard tests/probe/*.[ch])
	@mkdir -p $(@D)
	$(call quiet,LINK,$(CC) -static -O2 -std=gnu11 -I. -D_GNU_SOURCE $(WARNINGS) -include engine/base/banned.h -o $@ $(filter %.c,$^))

$(BUILD)/tests/killat: tests/faults/killat.c
	@mkdir -p $(@D)
	$(call quiet,LINK,$(CC) -static -O2 -std=gnu11 -I. -D_GNU_SOURCE $(WARNINGS) -include engine/base/banned.h -o $@ $^)

e2e: $(BUILD)/mycompose $(BUILD)/tests/probe $(BUILD)/tests/killat images
	@MYCOMPOSE=$(abspath $(BUILD))/mycompose MYCOMPOSE_PROBE=$(abspath $(BUILD))/tests/probe \
	MYCOMPOSE_IMAGES=$(abspath $(BUILD))/images PYTHONDONTWRITEBYTECODE=1 \
	$(PYTHON) -m pytest -q -n 4 -p no:cacheprovider --basetemp=$(abspath $(BUILD))/pytest \
		--junitxml=$(BUILD)/e2e.xml tests/e2e $(E2E)

SANITIZED := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
asan:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS='$(SANITIZED)' HARDEN=-fPIE unit

$(BUILD)/tests/bench/kernel: tests/bench/kernel.c
	@mkdir -p $(@D)
	$(call quiet,LINK,$(CC) -O2 -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -include engine/base/banned.h -o $@ $^)

bench: $(BUILD)/mycompose $(BUILD)/tests/bench/kernel
	@tests/bench/run $(BUILD)/mycompose $(BUILD)/tests/bench/kernel

bench-net: $(BUILD)/mycompose $(BUILD)/tests/probe
	@$(MAKE) --no-print-directory deps TEST_PACKAGES='iperf3 nftables iptables iproute2 util-linux busybox-static python3'
	@MYCOMPOSE=$(abspath $(BUILD))/mycompose MYCOMPOSE_PROBE=$(abspath $(BUILD))/tests/probe tests/bench/net

$(BUILD)/tests/bench/measure: tests/bench/measure.c
	@mkdir -p $(@D)
	$(call quiet,LINK,$(CC) -O2 -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -include engine/base/banned.h -o $@ $^)
# With the scene of the name service's unit tests.
$(BUILD)/tests/bench/names: $(BUILD)/tests/bench/names.o $(foreach r,$(below_engine/net),$(call room_lib,$(r)))
	$(call quiet,LINK,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< -Wl$(comma)--start-group $(foreach r,$(below_engine/net),$(call room_lib,$(r))) -Wl$(comma)--end-group $(LDLIBS) -lcmocka)
bench-names: $(BUILD)/tests/bench/names
	@$<

bench-config: $(BUILD)/mycompose $(BUILD)/tests/bench/measure
	@tests/bench/config $(BUILD)/mycompose $(BUILD)/tests/bench/measure

# Fuzz targets: clang's libFuzzer makes inputs; the stored ones are run by a driver of our own, with any compiler.
FUZZ         ?= document interpolate dotenv short load
FUZZ_SECONDS ?= 60
FUZZ_DRIVER   = $(BUILD)/tests/fuzz/driver.o
CLANG        ?= $(shell command -v clang || command -v clang-14)
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/fuzz_%.o $(FUZZ_DRIVER) $(call room_lib,compose) $(call room_lib,engine/base)
	$(call quiet,LINK,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS))
fuzz-programs: $(patsubst %,$(BUILD)/tests/fuzz/%,$(FUZZ))

fuzz:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=$(CLANG) WARNINGS= HARDEN=-fPIE FUZZ_DRIVER= LDFLAGS='-pie -fsanitize=fuzzer' \
		CFLAGS='$(SANITIZED) -fsanitize=fuzzer-no-link' fuzz-programs
	@tests/fuzz/run $(BUILD)/fuzz/tests/fuzz $(FUZZ_SECONDS) $(FUZZ)
fuzz-corpus:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan HARDEN=-fPIE CFLAGS='$(SANITIZED)' fuzz-programs
	@tests/fuzz/run $(BUILD)/asan/tests/fuzz corpus $(FUZZ)

SOURCES := $(shell git ls-files -co --exclude-standard '*.c' '*.h' 2>/dev/null)
fmt:
	@clang-format -i $(SOURCES)
fmt-check:
	@clang-format --dry-run -Werror $(SOURCES)
# A function defined in two rooms would be taken from whichever archive the linker sees first, without a word.
lint: $(LIBS)
	@twice=$$(nm -g --defined-only $(LIBS) | awk 'NF == 3 { print $$3 }' | sort | uniq -d); \
	[ -z "$$twice" ] || { echo "lint: defined more than once: $$twice" >&2; exit 1; }
	@tests/lint $(SOURCES)

install: $(BUILD)/mycompose
	install -D -m 755 $(BUILD)/mycompose $(DESTDIR)$(PREFIX)/bin/mycompose
	install -D -m 644 docs/mycompose.1 $(DESTDIR)$(PREFIX)/share/man/man1/mycompose.1
	install -D -m 644 docs/mycompose.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mycompose
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's,@BINDIR@,$(PREFIX)/bin,' docs/mycompose@.service.in >$(DESTDIR)$(PREFIX)/lib/systemd/system/mycompose@.service

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
