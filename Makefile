# mycompose - build, check, install.
# `make help` lists the targets; CONTRIBUTING notes are in docs/.

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
CC      ?= gcc
PYTHON  ?= /usr/bin/python3
VERSION := 0.1.0

PACKAGES := yaml-0.1 libcjson libnl-3.0 libnl-route-3.0 libiptc libip4tc libip6tc \
            libseccomp libcap libarchive nettle

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wimplicit-fallthrough
CFLAGS   ?= -O2 -g
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CPPFLAGS += -I. -D_GNU_SOURCE -DMYCOMPOSE_VERSION='"$(VERSION)"' \
            $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(HARDEN) $(CFLAGS) -include engine/base/banned.h
LDLIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
LDFLAGS  += -pie -Wl,-z,relro,-z,now

# A room is a folder with one static library; the list is ordered from the top of the dependency chain to its bottom.
ROOMS := cmd compose engine/supervisor engine/container engine/image engine/net engine/cgroup engine engine/base
room_lib = $(BUILD)/$(subst /,-,$(1)).a
LIBS := $(foreach r,$(ROOMS),$(call room_lib,$(r)))

comma := ,
# V=1 shows the commands.
ifeq ($(V),1)
quiet = $(2)
else
quiet = @printf '  %-5s %s\n' '$(1)' '$@'; $(2)
endif

.PHONY: all help deps demo check unit e2e lint fmt fmt-check asan bench install clean images
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

$(BUILD)/mycompose: $(BUILD)/cmd/main.o $(LIBS)
	$(call quiet,LINK,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< -Wl$(comma)--start-group $(LIBS) -Wl$(comma)--end-group $(LDLIBS))

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

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
