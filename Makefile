# make demo: from nothing to an answer; make test: everything that must hold before a commit lands.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# What an installation is made from besides the Python sources, which an editable one has always as they are.
MADE_FROM := pyproject.toml hatch_build.py indexer/trialindex/_kernel.pyx indexer/trialindex/_cutting.pyx

.PHONY: demo test lint bench relevance torture kernel clean

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

# Compiles the kernel, which an installation does by itself where it can; here a failure is shown.
kernel: | $(VENV)/made
	TRIALSEARCH_KERNEL=require $(PIP) -e .
	$(BIN)/trialsearch --version

$(VENV)/made:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/installed: $(MADE_FROM) | $(VENV)/made
	$(PIP) -e .
	touch $@

$(VENV)/installed-test: $(MADE_FROM) | $(VENV)/made
	$(PIP) -e ".[test]"
	touch $@ $(VENV)/installed

$(VENV)/installed-bench: $(MADE_FROM) | $(VENV)/made
	$(PIP) -e ".[bench]"
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) dist build indexer/trialindex/_*.so indexer/trialindex/_*.pyd
