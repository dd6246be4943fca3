# The README's commands. `make` alone tells them.
.DEFAULT_GOAL := help
.PHONY: help setup run demo test lint soak bench interop

PY := .venv/bin/python

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-14s %s\n' "$$name" "$$text"; done

setup:  ## virtual environment and dependencies; does nothing when they are up to date
	@sh tools/setup.sh

run: setup  ## serve on http://127.0.0.1:8000 with the database in data/
	@exec .venv/bin/hub serve

demo: setup  ## the same with a made-up department, on a database of its own
	@exec .venv/bin/hub demo

test: setup  ## every test, on all cores; ARGS="tests/domain -x" to choose
	@sh tools/ensure_system.sh
	@$(PY) -m pytest --numprocesses=$$(( $$(nproc) + 1 )) --dist=loadfile --no-loadscope-reorder $(ARGS)

lint: setup  ## ruff, mypy --strict on hub/, import-linter
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

soak: setup  ## the long proofs: many kills, large databases
	@sh tools/ensure_system.sh
	@$(PY) -m pytest -m soak $(ARGS)

bench: setup  ## how fast it is here, against raw INSERT
	@$(PY) -m bench $(ARGS)

interop: setup  ## the exports as pm4py reads them, in an environment of its own
	@sh interop/run.sh
