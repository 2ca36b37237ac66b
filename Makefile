# `make test` on a fresh machine makes .venv, installs and checks everything.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Of tests, with one thread in each: threads of several workers would wait for each other.
WORKERS ?= 2

.PHONY: demo docs install lint test

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade pip
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[all]"
	touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

demo: install
	$(BIN)/blazepose demo

docs: install
	$(BIN)/mkdocs build --strict
