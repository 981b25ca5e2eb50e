# `make` prints the targets. `run` and `test` need nothing but Python 3.11+ and make: they build `.venv` first.

PYTHON ?= python3
PORT ?= 2990
VENV := .venv
BIN := $(VENV)/bin
RULES := E,F,W,I,B,UP,SIM,RET,C4,PT,N,PIE,RUF
RUFF_SETTINGS := --line-length 110 --target-version py311
LINT := $(BIN)/ruff check --select $(RULES) --ignore RUF001,RUF002,RUF003,N818 $(RUFF_SETTINGS) --no-cache
FORMAT := $(BIN)/ruff format $(RUFF_SETTINGS) --no-cache
KILLED := import json, sys; \
	of = json.load(open("mutants/mutmut-cicd-stats.json")); \
	share = (of["killed"] + of["timeout"]) / of["total"]; \
	print(f"{share:.1%} of", of["total"], "mutants were killed."); \
	sys.exit(share < 0.85)
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal
SOURCES := herzum_approval tests postman setup.py

.DEFAULT_GOAL := help
.PHONY: help run test check lint format docs docs-check postman bench bench-peers mutate clean

help: ## Print every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/installed: setup.cfg setup.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed (make PYTHON=python3.12 ...)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@

run: $(VENV)/installed ## Serve the demonstration site on http://127.0.0.1:2990 (PORT=8080 for another port)
	@exec $(BIN)/herzum-approval serve --demo --port $(PORT)

test: $(VENV)/installed-test ## Run every test, on SQLite and PostgreSQL, over HTTP and in newman
	$(PYTEST)

check: lint docs-check $(VENV)/installed-test ## All that must hold before a change lands: lint, types, tests, coverage, generated documents
	$(PYTEST) --cov --cov-report=term --cov-fail-under=95

lint: $(VENV)/installed-test ## Style, types and formatting
	$(LINT) $(SOURCES)
	$(FORMAT) --check $(SOURCES)
	$(BIN)/mypy

format: $(VENV)/installed-test ## Put the code into its format
	$(LINT) --fix-only --quiet $(SOURCES)
	$(FORMAT) $(SOURCES)

docs: $(VENV)/installed-test ## Write the generated documents again
	$(BIN)/herzum-approval errors > docs/errors.md
	$(BIN)/herzum-approval settings > docs/settings.md
	@mkdir -p docs/openapi
	for family in herzum jira approval_path administration jsm_ops emulator; do $(BIN)/herzum-approval openapi $$family > docs/openapi/$$family.json; done
	$(BIN)/python postman/generate.py

docs-check: $(VENV)/installed-test ## Fail where a generated document is not up to date
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	$(BIN)/herzum-approval errors > $$scratch/errors.md && diff -u docs/errors.md $$scratch/errors.md && \
	$(BIN)/herzum-approval settings > $$scratch/settings.md && diff -u docs/settings.md $$scratch/settings.md && \
	for family in herzum jira approval_path administration jsm_ops emulator; do \
		$(BIN)/herzum-approval openapi $$family > $$scratch/$$family.json && \
		diff -u docs/openapi/$$family.json $$scratch/$$family.json || exit 1; \
	done && \
	$(BIN)/python postman/generate.py --check

postman: $(VENV)/installed-test ## Run the Postman collection by newman against a server of its own
	$(BIN)/pytest tests/test_postman.py

bench: $(VENV)/installed-test ## Measure, and print ratios against baselines of the same run
	$(BIN)/pytest tests/benchmarks --override-ini 'python_files=bench_*.py' -s --timeout 3600 --ignore tests/benchmarks/bench_peers.py

bench-peers: $(VENV)/installed-test ## Measure beside the mocks that people use, installed from npm outside of here
	$(BIN)/pytest tests/benchmarks/bench_peers.py --override-ini 'python_files=bench_*.py' -s --timeout 3600

mutate: $(VENV)/installed-test ## Break the rules in every small way; fail where tests notice less than 85 % of it
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[mutation]'
	$(BIN)/mutmut run
	$(BIN)/mutmut results
	$(BIN)/mutmut export-cicd-stats
	@$(BIN)/python -c '$(KILLED)'

clean: ## Remove what was built
	rm -rf $(VENV) build dist mutants *.egg-info node_modules postman/node_modules .pytest_cache .mypy_cache .hypothesis
