# Each target does its own set-up: `make up` and `make test` work in a fresh clone.

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help install up test check bench fuzz explore chaos nightly installation lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/installed ## make .venv with the locked requirements and this project

.venv/installed: $(wildcard requirements/*) pyproject.toml
	requirements/install.sh
	@touch $@

up: install ## run the whole DMS on embedded servers
	$(BIN)/busbar up

test: install ## all tests but those of the target installation
	$(PYTEST) -m "not installation" -n 3 --dist loadfile

check: install ## the gate: style, types, import rules, shape of the tree, unit tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/busbar check
	$(PYTEST) tests/unit

bench: install ## measure the kernel, the codec, the reading of models and the power flow against their raw limits
	$(BIN)/python -m loadtest.bench_kernel
	$(BIN)/python -m loadtest.bench_codec
	$(BIN)/python -m tests.speed
	$(BIN)/python -m tests.speed.power_flow --json
	$(BIN)/python -m tests.speed.topology --json

fuzz: install ## search each decoder for defects, a minute each
	$(BIN)/python -m tests.fuzz

explore: install ## try the properties and state machines with other examples than the gate, and more of them
	HYPOTHESIS_PROFILE=explore $(PYTEST) tests/unit tests/contract

chaos: install ## only the tests that kill servers and services and look for what is lost, with their counts
	$(PYTEST) -m chaos -s

nightly: install ## storms of twelve faults with twenty other seeds, and with faults in the machinery; an hour
	$(BIN)/python -m tests.nightly

installation: install ## build a fresh installation and try it
	$(PYTEST) -m installation

lock: | $(BIN)/uv ## renew the locked requirements from pyproject.toml and requirements/*.in
	$(LOCK) --output-file requirements/build.txt requirements/build.in
	$(LOCK) --output-file requirements/run.txt --extra embedded pyproject.toml
	$(LOCK) --output-file requirements/dev.txt --all-extras pyproject.toml requirements/dev.in \
		--constraints requirements/build.txt --constraints requirements/run.txt

$(BIN)/uv:
	$(MAKE) install
