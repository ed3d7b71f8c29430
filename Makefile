# `make` lists the habits.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test fleet-test check format types lint imports screenshots bench build clean

help:  ## list the habits
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/fleettop: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(BIN)/fleettop  ## open the dashboard on a simulated fleet; needs no Docker
	$(BIN)/fleettop demo

test: $(BIN)/fleettop  ## run every test; those with real engines skip with the reason where they cannot run
	$(BIN)/python -m pytest $(ARGS)

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

imports: $(BIN)/fleettop build/names  ## who may import whom
	PYTHONPATH=build/names $(BIN)/lint-imports

screenshots: $(BIN)/fleettop  ## draw the screens shown in the README from a running demo
	$(BIN)/python screenshots/make.py

bench: $(BIN)/fleettop  ## measure, beside other programs; writes bench/RESULTS.md (root, real engines)
	$(BIN)/python -m bench

build: $(BIN)/fleettop  ## wheel and sdist into dist/
	$(BIN)/python -m build

clean:  ## remove what was made
	rm -rf build dist .venv *.egg-info
