# The commands of this repository; `make help` lists them. GNU make and a POSIX shell are enough.

VENV := .venv
PY := $(VENV)/bin/python
# `make lab PYTHON=/somewhere/python3.12` chooses the Python; else the first of these that fits.
PYTHON ?=
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11

# Hints about newer pips help nobody here.
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Two stamps say what the virtual environment holds; both are younger than their lock file.
LAB := $(VENV)/lab.stamp
DEV := $(VENV)/dev.stamp
PARTS := lint types unit services spark notebooks browser

# uv installs in half the time of pip (31 s and 68 s, measured with empty caches on two cores); pip
# steps in where only pip is set up to reach a package index. Both compare every hash.
define install
	@$(PY) -m pip install --quiet --require-hashes -r requirements-uv.lock && \
	$(PY) -m uv --system-certs pip install --python $(PY) --require-hashes -r $(1) || \
	{ echo "uv could not install; pip goes on from here"; \
	  $(PY) -m pip install --require-hashes -r $(1); }
	@$(PY) -m pip install --quiet --no-deps --editable .
	@touch $@
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup lab test $(PARTS) test-cluster format lessons pictures bench campaign lock jars-lock clean java

help: ## list these targets
	@awk -F ':.*## ' '/^[$$()a-zA-Z-]+:.*## / { sub(/\$$\(PARTS\)/, "PARTS", $$1); \
		printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  PARTS are: $(PARTS)"

lab: setup ## set everything up (the first time) and open JupyterLab on lesson 00
	@$(VENV)/bin/labkit lab

setup: java $(LAB) ## set everything up, open nothing
	@$(VENV)/bin/labkit fetch

test: java $(DEV) ## run every part of the tests, and print what is skipped and why
	@$(VENV)/bin/labkit fetch
	@$(PY) tests/run_parts.py

$(PARTS): $(DEV) ## run one part of the tests
	@$(PY) tests/run_parts.py $@

test-cluster: $(DEV) ## build the image, run the lessons in containers; LESSONS="00 03" chooses
	@$(PY) tests/run_parts.py cluster

format: $(DEV) ## put code and notebooks into the one format
	@$(PY) -m ruff check --fix-only --quiet
	@$(PY) -m ruff format

lessons: $(DEV) ## run the source notebooks, save their outputs, write the lessons from them
	@$(VENV)/bin/labkit notebooks build

pictures: $(DEV) ## take the README's picture again
	@LAB_PICTURES=docs/pictures $(PY) -m pytest -q tests/browser/test_lesson_00.py

bench: $(DEV) ## run the benchmarks (an idle machine; they print medians, they assert nothing)
	@for file in benchmarks/*.py; do echo "== $$file"; $(PY) $$file || exit 1; done

campaign: $(DEV) ## the long tests, before an issue is resolved; reports in docs/reports/
	@for file in $(filter-out tests/campaign/test_%,$(wildcard tests/campaign/*.py)); do echo "== $$file"; $(PY) $$file || exit 1; done
	@$(MAKE) --no-print-directory test-cluster

lock: $(DEV) ## choose versions again: the lock files, from pyproject.toml
	@$(PY) -m uv pip compile $(LOCKED) --extra lab pyproject.toml -o requirements.lock
	@$(PY) -m uv pip compile $(LOCKED) --extra lab --extra dev pyproject.toml \
		-o requirements-dev.lock
	@printf 'uv\n' | $(PY) -m uv pip compile $(LOCKED) - -o requirements-uv.lock
LOCKED := --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11

jars-lock: $(DEV) ## write the jars' lock again, from labkit/jars/connectors.xml
	@$(PY) -m labkit.jars.lock

clean: ## remove the virtual environment and caches (fetched jars stay)
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache

# Java first: a machine without it learns so before anything is downloaded.
java:
	@$(find_python) && "$$python" labkit/java.py

$(VENV)/made.stamp: | java
	@$(find_python) && "$$python" -m venv $(VENV)
	@touch $@

$(LAB): requirements.lock pyproject.toml $(VENV)/made.stamp
	$(call install,requirements.lock)

$(DEV): requirements-dev.lock pyproject.toml $(VENV)/made.stamp
	$(call install,requirements-dev.lock)

# Sets $$python to a Python that really runs and can make a virtual environment, or says what to do.
define find_python
found=; for python in $(PYTHONS); do \
	found="$$("$$python" -c 'import sys; print(sys.version.split()[0]); \
	sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null)" && break; found=; \
done; \
if [ -z "$$found" ]; then \
	echo "labkit needs Python 3.11, 3.12 or 3.13; none of these is one: $(PYTHONS)."; \
	echo "Install one, or name it: make lab PYTHON=/path/to/python3.12"; exit 1; \
fi; \
if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	echo "Python $$found has no venv. On Debian or Ubuntu: sudo apt-get install python3-venv"; \
	exit 1; \
fi
endef
