# The front door. `make run` and `make test` are all that a fresh Debian 12 or Ubuntu machine needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# Further options: make test TESTS="tests/core -k clock" WORKERS=4
ARGS ?=
TESTS ?=
WORKERS ?= 2

# node and npm come from the virtual environment; nothing asks other hosts for news.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export REFLEX_USE_NPM := 1
export REFLEX_CHECK_LATEST_VERSION := false
export REFLEX_TELEMETRY_ENABLED := false
# Compiled modules lie with what else is made; without them each of many starts would compile everything anew.
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache
unexport PYTHONDONTWRITEBYTECODE
export PYTHON

packages := $(wildcard app components state hardware)

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## install what `make run` needs: system packages (as root), .venv, Python packages by hash
	@tools/setup.sh run

.PHONY: setup-test
setup-test: ## install what `make test` needs as well
	@tools/setup.sh test

.PHONY: run
run: setup ## start the gate with its demo on this computer
	@exec $(BIN)/python -m app.cli run $(ARGS)

.PHONY: test
test: setup-test lint build ## lint, types, import contracts, front end, all tests, table of requirements (TESTS="tests/core")
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder $(TESTS)
	@$(BIN)/python tools/requirements.py

.PHONY: build
build: setup-test ## build the front end, if its sources changed
	@$(BIN)/python -m app.cli build

.PHONY: lint
lint: setup-test ## check format, style, types and who imports whom
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(packages)
	@$(BIN)/lint-imports --no-logo

.PHONY: format
format: setup-test ## format and mend what can be mended by itself
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: bench
bench: setup-test ## measure speed and size (ARGS="admission" runs one)
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: screenshots
screenshots: setup-test build ## photograph the pages into screenshots/
	@$(BIN)/python -m tests.screenshots $(ARGS)

.PHONY: requirements
requirements: setup-test ## say which requirements the last test run proved
	@$(BIN)/python tools/requirements.py

.PHONY: lock
lock: setup-test ## resolve requirements/*.txt anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--upgrade --output-file requirements/run.txt pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--constraint requirements/run.txt --extra dev --output-file requirements/dev.txt pyproject.toml

.PHONY: demo-reset
demo-reset: setup ## throw the demo's data away and load it anew
	@$(BIN)/python -m app.cli demo --reset $(ARGS)

.PHONY: clean
clean: ## remove what can be made again; data/ and .venv stay
	@rm -rf build screenshots .web .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
