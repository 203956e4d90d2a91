# SPDX-License-Identifier: Apache-2.0
# Two commands do everything on a bare Debian 12: `make run` and `make test`.
.PHONY: all run test build clean fuzz bench format install
TOUR ?= auto
all: build
build:
	@tools/setup/packages.sh run
	@tools/build.sh build
run:
	@TOUR=$(TOUR) tools/run.sh
test:
	@tools/test.sh
fuzz:
	@tools/setup/packages.sh test && tools/fuzz.sh $(or $(SECONDS_EACH),60)
bench:
	@bench/run.sh
format:
	@clang-format -i $$(git ls-files 'src/*.[ch]' 'test/*.[ch]' 'bench/*.[ch]')
install: build
	@meson install -C build
clean:
	rm -rf build build-*
