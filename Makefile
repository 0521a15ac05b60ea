# Two commands on a fresh machine with Python 3.11 to 3.13 and its venv, git and make: `make demo` and `make test`.
# The versions are those of requirements*.lock, checked by hash; wheels only, so no compiler is needed.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --quiet --require-hashes --only-binary :all:
SAMPLE := samples/sample.mp4
STYLED := demo-output/sample.mosaic.mp4

# Stamps: younger than the lock that they installed.
RUN_TIME := $(VENV)/.installed
SERVICE := $(VENV)/.installed-serve
PAGE := $(VENV)/.installed-demo
DEV := $(VENV)/.installed-dev
# What paints in browsers, and what of it goes to them.
RUNTIME := web/live/runtime/litert.js

.PHONY: help demo serve demo-page web test train-env check format bench soak lock clean
.DELETE_ON_ERROR:

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN_TIME)  ## Restyle the sample clip and say where the result is
	$(BIN)/streamer transcode $(SAMPLE) --style mosaic --out-dir $(dir $(STYLED)) --overwrite
	@echo "The styled clip is $(CURDIR)/$(STYLED)"

serve: $(SERVICE)  ## Serve the live page on http://localhost:8000/
	@$(WEB_IF_POSSIBLE)
	$(BIN)/streamer serve

demo-page: $(PAGE)  ## Show the Gradio page on http://localhost:7860/
	$(BIN)/streamer demo

web: $(RUNTIME)  ## Fetch what paints on the visitor's own device, for `streamer serve` and `streamer local`

test: $(DEV)  ## Run the tests, two files at a time
	@$(WEB_IF_POSSIBLE)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

train-env: $(DEV)  ## Bring TensorFlow into .venv, for `streamer train`

check: $(DEV)  ## Lint, formatting, types and import layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(DEV)  ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(DEV)  ## Measure this machine: one JSON object
	$(BIN)/streamer bench --json

soak: $(DEV)  ## Measure the live service for as long as its limits are stated for
	$(BIN)/streamer bench --live --soak --json

WEB_IF_POSSIBLE = $(MAKE) --silent web || echo "Nothing will paint in browsers: npm could not fetch what does."

# By exact version and checksum, from whichever registry npm is set up for; the npm of this machine, or one from PyPI.
$(RUNTIME): web/vendor/package-lock.json web/vendor/build.mjs | $(BIN)/python
	@echo "Fetching what paints in browsers, once ..."
	@command -v npm >/dev/null || test -x $(BIN)/npm || $(INSTALL) --requirement requirements-web.lock
	@export PATH="$$PATH:$(CURDIR)/$(BIN)" && cd web/vendor && \
		timeout --kill-after 5 90 npm ci --loglevel error --ignore-scripts --no-audit --no-fund --fetch-retry-mintimeout 1000 --fetch-retry-maxtimeout 5000 && \
		npm run --silent build
	@touch $@

# A universal lock: the same versions on every Python that is supported. `make lock UPGRADE=--upgrade` takes newer ones.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-header --no-emit-index-url --no-emit-find-links $(UPGRADE)
LOCK := $(COMPILE) pyproject.toml --group build

lock: | $(BIN)/python  ## Write the five requirements*.lock anew from pyproject.toml
	@test -x $(BIN)/uv || $(PIP) install --quiet uv
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra serve --constraint requirements.lock --output-file requirements-serve.lock
	$(LOCK) --extra demo --constraint requirements-serve.lock --output-file requirements-demo.lock
	$(LOCK) --all-extras --constraint requirements-demo.lock --constraint requirements-serve.lock \
		--output-file requirements-dev.lock
	$(COMPILE) --group web --output-file requirements-web.lock

clean:  ## Remove the environment, caches and outputs
	rm -rf $(VENV) demo-output build dist ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_TIME): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Streamer needs, once ..."
	@$(INSTALL) --requirement requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(SERVICE): requirements-serve.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the service needs, once ..."
	@$(INSTALL) --requirement requirements-serve.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(RUN_TIME)

$(PAGE): requirements-demo.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the demo needs, once ..."
	@$(INSTALL) --requirement requirements-demo.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(RUN_TIME)

$(DEV): requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the tests need, TensorFlow included, once ..."
	@$(INSTALL) --requirement requirements-dev.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(RUN_TIME) $(SERVICE) $(PAGE)

# Each candidate is run, not only looked for: a version manager's shim may be there without its Python.
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
CANDIDATES := python3 python3.12 python3.13 python3.11

$(BIN)/python:
	@for python in $(PYTHON) $(CANDIDATES); do \
		if "$$python" -c '$(SUITABLE)' >/dev/null 2>&1; then \
			"$$python" -m venv $(VENV) && exit 0; \
			rm -rf $(VENV); exit 1; \
		fi; \
	done; \
	echo "Streamer needs Python 3.11, 3.12 or 3.13 with its venv module; none of '$(CANDIDATES)' is one (name yours with PYTHON=...)." >&2; \
	exit 1
