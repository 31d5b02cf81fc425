# `make demo` shows Loupe at work, `make test` tests it; both set everything up first.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/ready
PAGE := build/console
export PATH := $(CURDIR)/$(BIN):$(PATH)
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup page contract demo up down chromium test-fast test faults mutants bench-learning check audit build deploy teardown invoke lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## Set up .venv with everything that Loupe needs

$(READY): requirements.txt pyproject.toml local/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Loupe needs Python 3.11 or newer; this is $$($(PYTHON) --version)."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable . --editable local
	$(BIN)/python -m loupe_local.vision.backbone >/dev/null
	@touch $@

# Beside the sources, not among them: `sam build` would copy its 20,000 files at each build.
$(PAGE)/node_modules: console/package.json console/package-lock.json
	@npm --version >/dev/null || { echo "The page is checked with npm and Node 20 or newer."; exit 1; }
	rm -rf $(PAGE) && mkdir -p $(PAGE)
	cp console/package*.json console/.npmrc $(PAGE)
	cd $(PAGE) && npm ci --loglevel=error

page: $(PAGE)/node_modules
	rm -rf $(PAGE)/src && cp -R console/src console/*.ts console/*.js console/*.json $(PAGE)

contract: setup page ## Write the API's contract, console/openapi.json, and the page's types from it
	$(BIN)/python -m tools.openapi
	cp console/openapi.json $(PAGE) && cd $(PAGE) && npm run --silent api
	cp $(PAGE)/src/api/schema.ts console/src/api

demo: setup ## See the whole loop on real images, with a report in build/
	$(BIN)/python -m tools.demo

up: setup ## Start Loupe on this machine and leave it running
	$(BIN)/loupe up

down: setup ## Stop it; everything is kept
	$(BIN)/loupe down

chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	  { apt-get update --quiet && apt-get install --yes --quiet chromium; } >build/chromium.log 2>&1 || \
	  echo "Chromium cannot be installed from here (build/chromium.log): tests of the console in a \
	browser are skipped. Install it, for instance with 'sudo apt-get install chromium'."

test-fast: setup page ## Run the rules' tests: nothing that needs minutes, services or a stack
	cd $(PAGE) && npm test --silent
	$(BIN)/pytest -n 2 -m "not slow" tests/domain tests/adapters tests/template tests/cli tests/tools

test: setup page chromium ## Run all tests, the fast ones first
	cd $(PAGE) && npm test --silent
	$(BIN)/pytest -n 2 --ignore=tests/stack --ignore=tests/browser
	$(BIN)/pytest -n 3 -rs tests/stack tests/browser

faults: setup ## Kill the embedded stack 200 times, then check that nothing is lost: SEED=7 make faults
	$(BIN)/python -m tests.faults.run

mutants: setup ## Change the rules' code, see which changes no test notices: SAMPLE=500 SEED=7 make mutants
	$(BIN)/python -m tools.mutants

bench-learning: setup ## Measure how fast Loupe learns and how well it knows itself: SEED=100 make bench-learning
	$(BIN)/python -m benchmarks.learning --seed $${SEED:-0}

check: setup page ## Lint, types, template and known vulnerabilities
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy functions local cli tools tests benchmarks
	cd $(PAGE) && npm run --silent check
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml functions/loupe local/loupe_local cli/loupe_cli tools
	$(BIN)/python -m tools.audit
	AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint
	for stack in stacks/*.yaml; do AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint -t $$stack || exit 1; done
	$(BIN)/cfn-lint template.yaml stacks/*.yaml --regions us-east-1 us-west-2 eu-west-1 eu-central-1 ap-southeast-2

audit: setup ## Known vulnerabilities; fails when an advisory service cannot be asked
	$(BIN)/python -m tools.audit --strict

build: setup ## Build what is deployed
	$(BIN)/sam build

deploy: setup ## Deploy into the AWS account of your environment
	$(BIN)/python -m tools.check_samconfig $(CONFIG)
	$(BIN)/sam build
	$(BIN)/sam deploy $(if $(CONFIG),--config-env $(CONFIG))

teardown: setup ## Delete a stack with everything in it: make teardown STACK=loupe
	$(BIN)/loupe $(if $(STACK),--stack $(STACK)) teardown

invoke: setup ## Run one function in Docker: make invoke FUNCTION=DetectLabels EVENT=events/detect_labels.json
	$(BIN)/python -m tools.invoke $(FUNCTION) $(EVENT) $(SAM_ARGS)

lock: ## Resolve requirements.in into requirements.txt
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet -r requirements.in
	(head -1 requirements.txt; build/lock/bin/pip freeze --all | grep -v "^pip=") > build/requirements.txt
	mv build/requirements.txt requirements.txt

clean: ## Remove what was built (not .venv, not the data of `loupe up`)
	rm -rf build .aws-sam
