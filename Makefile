# `make demo` and `make test` need Python 3.11+, git, make and a network to install packages from; all else they set up in .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test quick check unit signatures schema lock accuracy speed clean

demo: $(VENV)/.installed
	@examples/demo/run.sh $(BIN)

test: check unit

check: $(VENV)/.dev
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/python scripts/schema.py --check
	$(BIN)/python scripts/settings_schema.py --check
	$(BIN)/python scripts/canary_policy_schema.py --check
	$(BIN)/python scripts/docs.py --check

# For daily work: all but containers and a fault at every call.
quick: check
	$(BIN)/python -m pytest -n 2 -m 'not slow'

unit: $(VENV)/.dev
	@scripts/rig/packages.sh
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under 85 | tail -n 30
	$(BIN)/coverage report --include 'src/cicd_agents/domain/*,src/cicd_agents/settings/*,src/cicd_agents/context/*,src/cicd_agents/analysis/*,src/cicd_agents/report/*' --fail-under 95 | tail -n 1

signatures: $(VENV)/.installed
	$(BIN)/python scripts/check_signatures.py

schema: $(VENV)/.dev
	$(BIN)/python scripts/schema.py
	$(BIN)/python scripts/settings_schema.py
	$(BIN)/python scripts/canary_policy_schema.py
	$(BIN)/python scripts/docs.py

accuracy: $(VENV)/.installed
	$(BIN)/python benchmarks/accuracy.py $(CORPUS)

speed: $(VENV)/.dev
	$(BIN)/python benchmarks/speed.py

lock: $(VENV)/.dev
	$(PIP) install uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --output-file requirements/runtime.txt
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --output-file requirements/dev.txt
	$(BIN)/uv pip compile pyproject.toml --extra llm --universal --python-version 3.11 --generate-hashes --no-header --constraint requirements/runtime.txt --constraint requirements/dev.txt --output-file requirements/llm.txt
	$(BIN)/uv pip compile --group build --universal --python-version 3.11 --generate-hashes --no-header --output-file requirements/build.txt

clean:
	rm -rf $(VENV) .rig .demo .coverage* .mypy_cache .ruff_cache .hypothesis dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cicd-agents needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/runtime.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/runtime.txt
	$(PIP) install --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.installed
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
