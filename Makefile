# Legenda's commands. `make run` starts it, `make test` tests it.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PINS := constraints.txt $(wildcard */pyproject.toml)
SOURCES := shared/src gateway/src caption-service/src classify-service/src storage-service/src
# Modules of tests/chaos that `make chaos` runs, one after the other.
CHAOS := hostile_files api_schemas storage_kills platform_faults overload rolling_restart fuzz_decoder

.DEFAULT_GOAL := help
.PHONY: help setup run openvino secrets test lint types screenshots bench bench-gpu chaos

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

run: $(VENV)/serving ## Start all services; prints the address to open.
	@exec $(BIN)/python -m gateway.launch

# Without its dependencies: importing it reports to its makers through openvino-telemetry, if that is there.
openvino: $(VENV)/serving ## Install OpenVINO (180 MB), which computes sooner where a processor multiplies bfloat16.
	@$(PIP) install --no-deps -c constraints.txt openvino \
	    || { echo "OpenVINO cannot be installed here; all works without it." >&2; exit 1; }

setup: $(VENV)/complete ## Install everything into .venv: all console commands, training, tests.

secrets: ## Make what `docker compose up` needs, once: a first key, a token, passwords.
	@sh deploy/make-secrets.sh

test: $(VENV)/complete ## Run all tests, with the real services and a real browser.
	@sh tests/prepare.sh
	@sh tests/run.sh $(PYTEST_OPTIONS)

lint: $(VENV)/complete ## Check style with ruff.
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/complete ## Check types with strict mypy, and the page's with TypeScript where node is found.
	@$(BIN)/mypy $(SOURCES)
	@sh tests/web/prepare.sh
	@if [ -d tests/web/node_modules ]; then tests/web/node_modules/.bin/tsc -p tests/web; fi

screenshots: $(VENV)/complete ## Take pictures of every view of the page, into screenshots/.
	@$(BIN)/python -m tests.browser.screenshots screenshots

bench: $(VENV)/complete ## Start the services and measure uploads; writes .data/bench.json and .png.
	@$(MAKE) --no-print-directory openvino || echo "OpenVINO's rows are left out." >&2
	@mkdir -p .data
	@$(BIN)/python -m tests.bench.uploads --json .data/bench.json --png .data/bench.png

bench-gpu: $(VENV)/complete ## Measure the models on a GPU.
	@$(BIN)/python -m tests.bench.gpu

chaos: $(VENV)/complete ## Throw hostile input and faults at the services, in full.
	@for each in $(CHAOS); do echo "== $$each"; $(BIN)/python -m tests.chaos.$$each || exit 1; done

$(BIN)/python:
	@for python in $(LEGENDA_PYTHON) python3 python3.13 python3.12 python3.11; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	        exec $$python -m venv $(VENV); \
	    fi; \
	done; \
	echo "Legenda needs Python 3.11, 3.12 or 3.13 with its venv module (on Debian and Ubuntu: python3-venv)." >&2; \
	echo "Found: $$(python3 --version 2>&1 || echo no python3). LEGENDA_PYTHON=/path/to/python names another one." >&2; \
	exit 1

$(VENV)/serving: requirements.txt $(PINS) | $(BIN)/python
	@echo "Installing what serving needs into $(VENV) (once; about 0.6 GB) ..."
	@$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/complete: requirements-dev.txt requirements.txt $(PINS) | $(BIN)/python
	@echo "Installing everything into $(VENV) (once) ..."
	@$(PIP) install -r requirements-dev.txt
	@touch $@ $(VENV)/serving
