# GenAI Atlas: `make run` opens the dashboard, `make test` runs every test. `make help` lists the rest.

PYTHON = python3
# Given on the command line only (`make run PORT=8600`); else the program's own settings hold.
HOST =
PORT =
ARGS =

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

BOOTSTRAP := $(PYTHON) scripts/bootstrap.py
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help run test check format build docs lock wheel clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, build the data, open the dashboard (HOST=, PORT=)
	@$(BOOTSTRAP)
	@$(BIN)/genai-atlas serve $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

build: ## check the data and build the warehouse
	@$(BOOTSTRAP)
	@$(BIN)/genai-atlas build

test: ## run all tests, a real browser included (ARGS="-k market" for some)
	@$(BOOTSTRAP) dev
	@$(BOOTSTRAP) browser
	$(BIN)/pytest --numprocesses=auto --dist=loadgroup $(ARGS)

check: ## lint, format, types, import rules, installed packages
	@$(BOOTSTRAP) dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/uv pip check --quiet --python $(BIN)/python

format: ## bring the code into shape
	@$(BOOTSTRAP) dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: ## write docs/data.md anew from the data package
	@$(BOOTSTRAP)
	@$(BIN)/python -m etl.docs > docs/data.md

lock: ## pin every package anew in requirements/ (ARGS=--upgrade for the newest)
	@$(BOOTSTRAP) dev
	$(COMPILE) $(ARGS) pyproject.toml --group dev --output-file requirements/dev.txt
	$(COMPILE) $(ARGS) pyproject.toml --group install --constraint requirements/dev.txt --output-file requirements/run.txt

wheel: ## make the wheel and the source archive in dist/
	@$(BOOTSTRAP) dev
	$(BIN)/python -m build --no-isolation

clean: ## remove .venv, caches and dist/; the data and the builds stay
	rm -rf .venv dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
