# `make help` lists the commands. Each does its own set-up; nothing but Python 3.11+ and PyPI is needed.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help run test soak lint format types contracts bench picture openapi lock clean venv venv-dev

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv:
	@$(PYTHON) vptmonitor/bootstrap.py

venv-dev:
	@$(PYTHON) vptmonitor/bootstrap.py
	@$(PYTHON) vptmonitor/bootstrap.py --dev

run: venv ## set up what is missing and start the portal (PORT=5109)
	@$(BIN)/python -m vptmonitor.start

test: venv-dev lint types contracts ## lint, types, import contracts and the test suite
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

soak: venv-dev ## the long fault and flood tests
	@$(BIN)/python -m pytest -m soak --timeout 3600

lint: venv-dev ## ruff, the templates' format, the Dockerfile
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/djlint --quiet --check --lint apps
	@$(BIN)/hadolint Dockerfile

types: venv-dev ## mypy --strict
	@$(BIN)/mypy

contracts: venv-dev ## who may import whom
	@$(BIN)/lint-imports --no-cache

format: venv-dev ## format Python and templates
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .
	@$(BIN)/djlint --quiet --reformat apps || true

bench: venv-dev ## the benchmarks: ratios against a floor
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

picture: venv-dev ## take the picture in README anew (wants Chromium)
	@$(BIN)/python -m tests.e2e.picture

openapi: venv-dev ## write docs/openapi.yaml anew, after a change of the API
	@$(BIN)/python manage.py spectacular --fail-on-warn --settings tests.settings --file docs/openapi.yaml

lock: venv-dev ## write the lock files anew
	@cd requirements && ../$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 base.in -o base.lock
	@cd requirements && ../$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 dev.in -o dev.lock

clean: ## remove the virtual environment and caches (never .data)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache staticfiles
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
