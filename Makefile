# make demo: from nothing to an answer; make test: everything that must hold before a commit lands.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench relevance torture clean

demo: $(VENV)/installed
	$(BIN)/trialsearch index corpus --index index
	$(BIN)/trialsearch search "umbilical cord MSC for LN" --index index --limit 5

test: $(VENV)/installed-test lint
	$(BIN)/python -m pytest -q -n 2

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed-bench
	$(BIN)/python bench/run.py

relevance: $(VENV)/installed-bench
	$(BIN)/python bench/relevance/run.py

torture: $(VENV)/installed-test
	$(BIN)/python -m pytest -q tests/torture.py

$(VENV)/made:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/installed: pyproject.toml | $(VENV)/made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/installed-test: pyproject.toml | $(VENV)/made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@ $(VENV)/installed

$(VENV)/installed-bench: pyproject.toml | $(VENV)/made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) dist build
