# `make` lists the habits.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test fleet-test check format types lint imports screenshots snapshots bench soak build lock clean

help:  ## list the habits
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The lock is a constraint: the versions that were tested, for whichever of them a platform needs.
$(BIN)/fleettop: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[dev]'
	@touch $@

demo: $(BIN)/fleettop  ## open the dashboard on a simulated fleet; needs no Docker
	$(BIN)/fleettop demo

test: $(BIN)/fleettop  ## run every test; those with real engines skip with the reason where they cannot run
	$(BIN)/python -m pytest $(ARGS)

fleet-test: $(BIN)/fleettop  ## run the tests with real engines only; they fail where they cannot run
	FLEETTOP_REQUIRE_FLEET=1 $(BIN)/python -m pytest -m fleet $(ARGS)

check: lint types imports test  ## everything a commit must pass

lint: $(BIN)/fleettop  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(BIN)/fleettop  ## put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build/names: | $(BIN)/fleettop
	mkdir -p build/names/fleettop
	ln -sfn ../../../collectors build/names/fleettop/collectors
	ln -sfn ../../../tui build/names/fleettop/tui

types: $(BIN)/fleettop build/names  ## strict types
	$(BIN)/mypy
	$(BIN)/mypy tests/fleet tests/conftest.py

imports: $(BIN)/fleettop build/names  ## who may import whom
	PYTHONPATH=build/names $(BIN)/lint-imports

screenshots: $(BIN)/fleettop  ## draw the screens shown in the README from a running demo
	$(BIN)/python screenshots/make.py

snapshots: $(BIN)/fleettop  ## renew the snapshots of screens; look at the difference before you commit it
	$(BIN)/python -m pytest tests/tui --snapshot-update $(ARGS)

bench: $(BIN)/fleettop  ## measure, beside other programs; writes bench/RESULTS.md (root, real engines, over an hour; ONLY="fleet scale" for less)
	$(BIN)/python -m bench all $(ONLY)

soak: $(BIN)/fleettop  ## an hour of storm in which nothing may grow; MINUTES=5 for less
	$(BIN)/python -m bench soak --minutes $(or $(MINUTES),60)

build: $(BIN)/fleettop  ## wheel and sdist into dist/
	rm -rf build/lib build/bdist.* dist
	$(BIN)/python -m build

lock:  ## renew the tested versions in requirements.lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet pip-tools
	build/lock/bin/pip-compile --quiet --upgrade --all-extras --strip-extras --allow-unsafe --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --annotation-style=line \
	  --output-file requirements.lock pyproject.toml
	sed -i '1i # The versions that are tested. `make lock` renews them; `make` installs with them as constraints.' requirements.lock

clean:  ## remove what was made
	rm -rf build dist .venv *.egg-info
