# Needs make and Python 3.11 or later with venv. `make` alone lists what there is to do.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo assets test quick spark lint format bench soak pictures simulate wheel sbom lock clean

# The first Python that is new enough; choose another with `make test PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
    $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; \
  done)
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
SPARK := .venv-spark
# Locked wheels only: nothing is compiled, and nothing outside the lock is asked for.
INSTALL_LOCK := install --quiet --require-hashes --only-binary :all:
INSTALL_PROJECT := install --quiet --no-deps --no-index --no-build-isolation --editable .

# A lock holds nothing published after this day. `make lock CUTOFF=2027-01-31` moves it.
CUTOFF ?= 2026-11-15
UV_VERSION := 0.13.9

define CHECK_PYTHON
@test -n "$(PYTHON)" || { echo "areaeffect needs Python 3.11 or later, and none was found as python3, \
python3.13, python3.12 or python3.11. Install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "areaeffect needs Python 3.11 \
or later, and '$(PYTHON)' is not. Name another: make PYTHON=/path/to/python" >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "'$(PYTHON)' cannot make environments. \
Install its venv module (on Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
endef

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- environments
# Each stamp says which files its step was made from; a changed lock remakes the environment.

$(VENV)/.base: requirements/base.txt requirements/build.txt
	$(CHECK_PYTHON)
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip $(INSTALL_LOCK) -r requirements/base.txt -r requirements/build.txt
	@touch $@

$(VENV)/.project: $(VENV)/.base pyproject.toml
	$(BIN)/python -m pip $(INSTALL_PROJECT)
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	$(BIN)/python -m pip $(INSTALL_LOCK) -r requirements/dev.txt
	@touch $@

$(BENCH)/.made: requirements/bench.txt requirements/build.txt pyproject.toml
	$(CHECK_PYTHON)
	rm -rf $(BENCH)
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip $(INSTALL_LOCK) -r requirements/bench.txt -r requirements/build.txt
	$(BENCH)/bin/python -m pip $(INSTALL_PROJECT)
	@touch $@

# PySpark calls pandas 3 unsupported: its extra pins an older one, apart from the others. It is
# published as source alone, which the locked setuptools packs; nothing is compiled.
$(SPARK)/.made: requirements/spark.txt requirements/build.txt pyproject.toml
	$(CHECK_PYTHON)
	rm -rf $(SPARK)
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/python -m pip $(INSTALL_LOCK) -r requirements/build.txt
	$(SPARK)/bin/python -m pip $(INSTALL_LOCK) --no-binary pyspark --no-build-isolation \
	  -r requirements/spark.txt
	$(SPARK)/bin/python -m pip $(INSTALL_PROJECT)
	@touch $@

# ---------------------------------------------------------------- use

demo: $(VENV)/.project  ## evaluate the simulated county (and real studies whose data are here)
	$(BIN)/areaeffect demo --out build/demo

assets: $(VENV)/.project  ## fetch the web app's map (npm from the PATH, else by its wheel)
	$(BIN)/python frontend/assets.py

# ---------------------------------------------------------------- tests

# Only folders that hold tests; a new folder under tests/ joins the long part by itself.
with_tests = $(foreach d,$(1),$(if $(shell find $(d) -name 'test_*.py' 2>/dev/null | head -n 1),$(d)))
QUICK_TESTS := $(call with_tests,tests/unit tests/contract tests/invariance) $(wildcard tests/test_*.py)
OTHER_TESTS := $(filter-out $(QUICK_TESTS),$(call with_tests,$(patsubst %/,%,$(wildcard tests/*/))))
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

# The long files first, in the order given: at the end every worker still has short ones to do.
test: $(VENV)/.project $(VENV)/.dev  ## run the whole test suite, the long part first
	$(if $(strip $(QUICK_TESTS)),$(PYTEST) --no-loadscope-reorder --durations=10 $(OTHER_TESTS) $(QUICK_TESTS) $(ARGS),\
	  @echo "no tests found" >&2; exit 1)

quick: $(VENV)/.project $(VENV)/.dev  ## run the quick part of the test suite
	$(PYTEST) -m "not slow" $(QUICK_TESTS) $(ARGS)

spark: $(SPARK)/.made  ## run the tests of the Spark engine (needs Java 17; 1.5 GB of packages)
	$(SPARK)/bin/python -m pytest tests/mission/test_spark.py $(ARGS)

lint: $(VENV)/.project $(VENV)/.dev  ## check format, style, types, imports and locks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pip check

format: $(VENV)/.dev  ## put the code into the common format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# ---------------------------------------------------------------- long ones, by hand

bench: $(BENCH)/.made  ## compare with other packages (long; ARGS="…" is handed on)
	$(BENCH)/bin/python -m benchmarks $(ARGS)

soak: $(VENV)/.project $(VENV)/.dev  ## load the web app for hours (ARGS="--runs DIR"; first `make demo`)
	$(BIN)/python -m benchmarks.soak $(ARGS)
	$(BIN)/python -m benchmarks.soak_runs $(ARGS)
	$(BIN)/python -m benchmarks.web_states
	AREAEFFECT_FUZZ_SECONDS=15 $(BIN)/python -m pytest tests/unit/study/test_damaged_files.py
	AREAEFFECT_IO_EVERY=1 $(BIN)/python -m pytest tests/unit/commands/test_evaluate_faults.py
	AREAEFFECT_DAMAGES=300 $(BIN)/python -m pytest tests/unit/sources/test_store_damage.py
	AREAEFFECT_INTERRUPTIONS=30 $(BIN)/python -m pytest tests/real_data/test_fetch_england.py
	AREAEFFECT_ALL_WAYS=1 $(BIN)/python -m pytest tests/web/test_england_task_in_chromium.py
	AREAEFFECT_SOAK_RUNS=1000 AREAEFFECT_FUZZ_REQUESTS=12000 $(BIN)/python -m pytest -s \
	  tests/web/test_many_runs.py tests/web/test_fuzz.py

pictures: $(VENV)/.project $(VENV)/.dev  ## take the pictures of docs/web.md in a real browser
	@mkdir -p docs/pictures
	AREAEFFECT_PICTURES=docs/pictures $(BIN)/python -m pytest tests/web/test_compare_in_chromium.py \
	  tests/web/test_find_in_chromium.py -k keyboard

simulate: $(VENV)/.project  ## measure size, coverage and power in full (goes on where it stopped)
	$(BIN)/python -m benchmarks.worlds $(ARGS)

# ---------------------------------------------------------------- upkeep

wheel: $(VENV)/.project $(VENV)/.dev  ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

sbom: $(VENV)/.project $(VENV)/.dev  ## list what the program is made with (CycloneDX) in dist/
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements/base.txt --pyproject pyproject.toml \
	  --output-reproducible --output-file dist/areaeffect.cdx.json

COMPILE = build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
  --fork-strategy fewest --exclude-newer $(CUTOFF) --generate-hashes --no-emit-index-url \
  --no-emit-find-links --custom-compile-command "make lock CUTOFF=$(CUTOFF)"

lock:  ## remake requirements/*.txt (the only target that asks for more than the locks hold)
	$(CHECK_PYTHON)
	test -x build/lock/bin/uv || $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet uv==$(UV_VERSION)
	$(COMPILE) pyproject.toml --output-file requirements/base.txt
	$(COMPILE) --group build --constraints requirements/base.txt --output-file requirements/build.txt
	$(COMPILE) --group node --output-file requirements/node.txt
	$(COMPILE) pyproject.toml --group dev --extra crosscheck --extra cluster --constraints requirements/base.txt \
	  --constraints requirements/build.txt --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra bench --constraints requirements/base.txt \
	  --output-file requirements/bench.txt
	$(COMPILE) pyproject.toml --extra spark --group spark-tests --constraints requirements/build.txt \
	  --output-file requirements/spark.txt

clean:  ## remove environments, build results and caches
	rm -rf $(VENV) $(BENCH) $(SPARK) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
