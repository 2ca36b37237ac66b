# `make test` on a fresh machine makes .venv, installs and checks everything.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Of tests, with one thread in each: threads of several workers would wait for each other.
WORKERS ?= 2
# Shared by clones: without it, mypy takes a minute in each.
export MYPY_CACHE_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/blazepose-mypy

.PHONY: demo docs install lint test wheel

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

# The notebooks run in a folder of their own, and leave no run or data set in the checkout. With Google's
# pose_landmarker_full.task here, they show it.
docs: install
	mkdir -p build/notebooks
	BLAZEPOSE_WORK=$(CURDIR)/build/notebooks BLAZEPOSE_WEIGHTS=$(CURDIR)/pose_landmarker_full.task \
		JUPYTER_CONFIG_PATH=$(CURDIR)/docs NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The source archive and the wheel, and the wheel installed as by a stranger: bare, in an environment of its own.
wheel:
	rm -rf build/lib dist
	$(PYTHON) -m venv --clear build/venv
	build/venv/bin/python -m pip install build
	build/venv/bin/python -m build
	$(PYTHON) -m venv --clear build/venv
	build/venv/bin/python -m pip install --constraint constraints.txt dist/*.whl
	build/venv/bin/python .ci/check_wheel.py
