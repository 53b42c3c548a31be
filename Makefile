# `make` alone prints this list.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .cache
MANIFEST := --manifest-path rust/Cargo.toml
INPUT ?=
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := $(basename $(notdir $(wildcard rust/fuzz/fuzz_targets/*.rs)))

.PHONY: help demo test check fix bench mutate fuzz docs clean native rust-tests

help:
	@echo "make demo    set everything up and show the main job on real input (INPUT='file…')"
	@echo "make test    set everything up and run all tests"
	@echo "make fuzz    feed each parser of foreign bytes for FUZZ_SECONDS (60)"
	@echo "make check   formatting, lint, types, import floors, house numbers"
	@echo "make fix     format, and mend what the linters can"
	@echo "make bench   measure against peers; ratios"
	@echo "make mutate  the long campaigns of the seal: a million mutations, ten thousand kills"
	@echo "make docs    generate the reference pages"
	@echo "make clean   remove what the above made"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Treering needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(STAMPS)/%: pyproject.toml | $(BIN)/python
	@mkdir -p $(STAMPS)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group $*
	@touch $@

native: $(STAMPS)/build
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --quiet

rust-tests:
	cargo test --quiet $(MANIFEST) -p treering-core
	RUSTFLAGS="--cfg loom" cargo test --quiet --release --target-dir rust/target/loom \
		$(MANIFEST) -p treering-core --lib ring::interleavings

# aics-tlog says that it wants Python 3.12 and runs on 3.11.
$(STAMPS)/witnesses: $(STAMPS)/test
	$(BIN)/python -m pip install --quiet --no-deps --ignore-requires-python 'aics-tlog==0.2.1'
	@touch $@

# The daemon that syslog messages are sent to, with its driver for TLS.
RSYSLOG := rsyslog rsyslog-openssl
$(STAMPS)/rsyslog:
	@mkdir -p $(STAMPS)
	@PATH="$$PATH:/usr/sbin:/sbin"; \
	has() { command -v rsyslogd >/dev/null && ls /usr/lib*/rsyslog/lmnsd_ossl.so \
		/usr/lib/*/rsyslog/lmnsd_ossl.so 2>/dev/null | grep -q .; }; \
	as_root() { if [ "$$(id -u)" = 0 ]; then "$$@"; else sudo "$$@"; fi; }; \
	has || { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq --no-install-recommends $(RSYSLOG) >/dev/null; }; \
	has || { echo "The tests need rsyslogd and its OpenSSL driver: $(RSYSLOG)"; exit 1; }
	@touch $@

# The stock tool that has to open encrypted files of the archive.
$(STAMPS)/age:
	@mkdir -p $(STAMPS)
	@has() { command -v age >/dev/null && command -v age-keygen >/dev/null; }; \
	as_root() { if [ "$$(id -u)" = 0 ]; then "$$@"; else sudo "$$@"; fi; }; \
	has || { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq --no-install-recommends age >/dev/null; }; \
	has || { echo "The tests need age and age-keygen: age"; exit 1; }
	@touch $@

test: native $(STAMPS)/witnesses $(STAMPS)/rsyslog $(STAMPS)/age rust-tests
	$(BIN)/python -m pytest

# Address checking needs a nightly compiler; coverage alone is had from the stable one.
fuzz:
	@cargo fuzz --version || { echo "cargo install cargo-fuzz"; exit 1; }
	@set -e; cd rust/fuzz; \
	if cargo +nightly --version >/dev/null 2>&1; then run="cargo +nightly fuzz run"; \
	else run="env RUSTC_BOOTSTRAP=1 cargo fuzz run -s none"; fi; \
	for target in $(FUZZ_TARGETS); do \
		echo "== $$target"; \
		mkdir -p corpus/$$target; \
		$$run --fuzz-dir . $$target corpus/$$target seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0; \
	done

demo: native $(STAMPS)/demo
	$(BIN)/python examples/demo.py $(INPUT)

check: native $(STAMPS)/test $(STAMPS)/check
	cargo fmt $(MANIFEST) --all --check
	cargo clippy --quiet $(MANIFEST) --all-targets -- -D warnings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest treering._core --allowlist tests/house/stubtest.txt
	$(BIN)/lint-imports
	$(BIN)/python scripts/house_numbers.py

fix: $(STAMPS)/check
	cargo fmt $(MANIFEST) --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: native $(STAMPS)/bench
	$(BIN)/python -m bench

mutate: native $(STAMPS)/test
	$(BIN)/python scripts/mutate.py

docs: native
	$(BIN)/python scripts/reference.py

clean:
	rm -rf $(VENV) $(STAMPS) rust/target rust/fuzz/target dist src/treering/_core*.so
