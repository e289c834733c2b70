# make demo   sets up and shows the gate at work; ONCE=1, PROMETHEUS=1, FAULT=none|errors|latency|leak|one-pod|logs
# make test   sets up, then lint, types, architecture and every test
# make help   the rest
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV ?= .venv
BIN := $(VENV)/bin
export VENV
# Where the real servers are; computed when a target that needs them runs.
SERVERS = eval "$$(tools/servers.sh env)"
# By module, so that a server or a wheel that a module shares is made once; in the order of
# tests/lanes.py, by which some workers wait for servers while others compute.
PYTEST = $(BIN)/python -m pytest --dist loadscope --no-loadscope-reorder
# Of `make test` twice as many as cores, since half of them mostly wait. Where nothing waits each
# worker more only reads all tests once more.
WORKERS ?=
CORES := $(shell nproc)
# What Python compiled and pytest rewrote is kept, out of the tree: without it every worker and every
# process that a test starts compiles all of ours again, a third of the time of `make unit`.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/build/pycache
# Our matrices are small, and the workers have the cores: a second thread of the linear algebra only
# spins beside the first (tests/detector/gate/test_laws.py: 17 CPU seconds with it, 9 without).
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
ARGS ?=

DEMO_ARGS = $(if $(ONCE),--once) $(if $(PROMETHEUS),--prometheus) $(if $(FAULT),--fault $(FAULT)) $(ARGS)

.PHONY: help
help: ## what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: run-setup
run-setup:
	@tools/venv.sh run

.PHONY: setup
setup: ## the environment in .venv with everything the tests need
	@tools/venv.sh dev

.PHONY: demo
demo: run-setup ## a rollout that goes bad and is rolled back; ONCE=1 PROMETHEUS=1 FAULT=logs
	@$(SERVERS); $(BIN)/serinus demo $(DEMO_ARGS)

.PHONY: test
test: setup ## lint, types, architecture, every test
	@# Once, beside the lint: else each worker and each server that a test starts compiles the same.
	@$(BIN)/python -m api.compiling build/compiling & trap "kill $$! 2>/dev/null || true" EXIT; \
	    $(MAKE) lint; wait $$! || true; rm -rf build/compiling
	@echo "== tests (what this machine lacks is listed at the end)"
	@$(SERVERS); $(PYTEST) -n $(or $(WORKERS),$(shell echo $$(( $(CORES) * 2 )))) -m "not e2e" $(ARGS)

.PHONY: unit
unit: setup ## the fast tests: no real servers, nothing slow
	@HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-quick} \
	    $(PYTEST) -n $(or $(WORKERS),$(CORES)) \
	    -m "not real and not slow and not e2e and not docs" $(ARGS)

.PHONY: lint
lint: setup ## ruff, mypy --strict, import contracts, hadolint
	@echo "== lint"
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@echo "== types"
	@$(BIN)/mypy
	@echo "== architecture"
	@NO_COLOR=1 $(BIN)/lint-imports | sed -n '/^Contracts$$/,$$p'

.PHONY: format
format: setup ## put the code into shape
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: servers
servers: ## install the real servers that the contract tests start
	@tools/servers.sh

.PHONY: e2e
e2e: setup ## long runs and whole control planes
	@tools/servers.sh e2e
	@$(SERVERS); $(PYTEST) -n 0 -m e2e --timeout 3600 $(ARGS) || { code=$$?; \
	    if [ $$code -eq 5 ]; then echo "no e2e tests in this checkout"; else exit $$code; fi; }

.PHONY: bench
bench: setup ## every bench, quick; BENCH_ARGS= for the whole, OUT=DIR for the figures
	@mkdir -p $(OUT); failed=""; for file in bench/*/*.py; do \
	    name=$$(basename $$(dirname $$file))-$$(basename $$file .py); grep -q '__main__' $$file || continue; echo "== $$file"; \
	    $(BIN)/python $$file $(BENCH_ARGS) --json $(OUT)/$$name.json || failed="$$failed $$name"; \
	done; [ -z "$$failed" ] || { echo "short of what was asked:$$failed"; exit 1; }
OUT ?= build/bench
BENCH_ARGS ?= --quick

.PHONY: reference
reference: setup ## the pages of docs/reference/, from the code
	@$(BIN)/python tools/reference.py

.PHONY: notebooks
notebooks: setup ## run the notebooks, and keep what they show
	@$(BIN)/python tools/notebooks.py $(ARGS)

.PHONY: docs
docs: reference ## the documentation as a site, in build/site
	@$(BIN)/zensical build --strict --clean

.PHONY: wheel
wheel: setup ## the distribution, in dist/
	@$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --no-build-isolation -w dist .
	@ls dist/*.whl

.PHONY: lock
lock: ## constraints.txt from a clean environment of today
	@tools/lock.sh

.PHONY: image-steps
image-steps: ## run the Dockerfile's steps without a container engine
	@tools/dockerfile-steps.sh

.PHONY: clean
clean: ## remove what make made, servers excepted
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
