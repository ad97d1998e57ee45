# One verb a line; `make` alone lists them. CI calls the same verbs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types floors unit bench fuzz chaos chaos-short chaos-mutants soak kafka docs clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.runtime ## the whole road on this machine: embedded Kafka, sandbox, the worker, and a balance at the end
	@$(BIN)/capi-pipeline demo

test: $(VENV)/.dev ## every test, those against real Apache Kafka included
	@test -n "$$CAPI_TEST_BOOTSTRAP_SERVERS" || $(BIN)/python tests/support/kafka_broker.py --fetch-only
	$(BIN)/pytest

unit: $(VENV)/.dev ## the tests that need no broker: seconds
	$(BIN)/pytest -m "not kafka" -q

check: format lint types floors test ## everything, cheapest first

chaos: $(VENV)/.dev ## every fault on a three-node Kafka, and a judge that compares sets (ONLY="name name" for some, LANE=google)
	$(BIN)/python tests/chaos/run.py $(if $(LANE),--lane $(LANE)) $(ONLY)

chaos-mutants: $(VENV)/.dev ## the same with workers that break the guarantee on purpose: each must be caught
	$(BIN)/python tests/chaos/run.py --mutants $(if $(LANE),--lane $(LANE)) $(ONLY)

chaos-short: $(VENV)/.dev ## the part of both that CI runs: minutes
	$(BIN)/python tests/chaos/run.py --short

soak: $(VENV)/.dev ## random faults for SECONDS (SEED=n repeats the same ones)
	$(BIN)/python tests/chaos/run.py --soak $(or $(SECONDS),300) --seed $(or $(SEED),1)

format: $(VENV)/.dev ## formatting, as it should be (make format FIX=1 rewrites)
	$(BIN)/ruff format $(if $(FIX),,--check) .

lint: $(VENV)/.dev ## ruff with nearly every rule
	$(BIN)/ruff check $(if $(FIX),--fix,) .

types: $(VENV)/.dev ## mypy --strict
	$(BIN)/mypy

floors: $(VENV)/.dev ## who may import whom
	$(BIN)/lint-imports

docs: $(VENV)/.dev ## rewrite the tables and examples in docs/ that are made from the code
	$(BIN)/python tools/docs_tables.py
	$(BIN)/python tools/contract_tables.py
	$(BIN)/python tools/explain_examples.py
	$(BIN)/python tests/chaos/tables.py

bench: $(VENV)/.dev ## what an event costs, beside a bare loop and the vendor's SDK
	$(BIN)/python -m bench

fuzz: $(VENV)/.dev ## any inputs at the decoder, headers, replies and normalization (make fuzz RUNS=1000000)
	$(BIN)/python tests/fuzz/run.py all $(if $(RUNS),--runs $(RUNS))

kafka: $(VENV)/.dev ## a real one-node Apache Kafka on loopback, until Ctrl-C
	$(BIN)/python tests/support/kafka_broker.py

clean: ## remove the virtual environment and every cache
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml
	@test -x $(BIN)/python || { echo "Making a virtual environment in $(VENV)/ (once)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing pinned dependencies (once)"
	@$(PIP) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@echo "Installing what tests and checks need (once)"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
