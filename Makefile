# make play                  install into .venv and start a server with a demo competition
# make play JUDGE=pocket     the same, without fetching the usual judge (93 MB once; 271 MB on disk)
# make play TORCH_INDEX=URL  the same, with PyTorch from that package index (a CPU or a CUDA build; see README.md)
# make test                  the tests without the slow ones
# make test-ci               with them; what fails beside others is run again, alone
# make test-all              all tests, those too that show once more what others show (marked `exhaustive`)
# make test-train            the tests of training, in an environment of their own (.venv-train)
# make coverage              all tests, and then which lines and branches none of them ran
# make check                 lint, format, types, import rules, migrations complete
# make clean                 remove .venv, .venv-train and what tools left behind
#
# PROCESSES=1 runs the tests in one process; more than one, since most of them wait for servers.
# PYTHON=python3.12 picks another interpreter for a new .venv; ARGS="--port 9000" goes to `xentarena serve`.

PYTHON ?= python3
TORCH_INDEX ?=
ARGS ?=
PROCESSES ?= 3

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check
TORCH := $(shell grep '^torch==' constraints.txt)

# What PyTorch was installed as: its pin, and the index it came from. Another pin or another index installs it anew;
# where no index is named, whatever build is there is good.
TORCH_THERE := $(shell cat $(STAMPS)/torch 2>/dev/null)
ifneq ($(firstword $(TORCH_THERE)),$(TORCH))
$(STAMPS)/torch: FORCE
endif
ifneq ($(TORCH_INDEX),)
ifneq ($(lastword $(TORCH_THERE)),$(TORCH_INDEX))
$(STAMPS)/torch: FORCE
endif
endif

# The usual judge, fetched once. Where that fails, games are played with pocket, which is part of the package.
USUAL := smollm2-135m
JUDGE ?= $(USUAL)

TRAIN := .venv-train
TRAIN_PIP := $(TRAIN)/bin/python -m pip --disable-pip-version-check

EVERY_TEST := $(BIN)/pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: judge play test test-all test-ci test-train coverage check clean FORCE

play: $(STAMPS)/all judge
	$(BIN)/xentarena serve --demo $(if $(filter-out $(USUAL),$(JUDGE)),$(addprefix --judge ,$(JUDGE))) $(ARGS)

judge: $(STAMPS)/all
ifeq ($(JUDGE),$(USUAL))
	@$(BIN)/xentarena judges install $(USUAL) || echo "Going on with pocket. It knows little: games are dull with it." >&2
endif

test: $(STAMPS)/dev
	$(EVERY_TEST) -m "not slow and not exhaustive" $(ARGS)

test-all: $(STAMPS)/dev
	$(BIN)/xentarena judges install $(USUAL)
	$(EVERY_TEST) $(ARGS)

# What fails beside others is run again alone, and is told either way. Only what fails alone too has failed.
test-ci: $(STAMPS)/dev
	$(BIN)/xentarena judges install $(USUAL)
	$(EVERY_TEST) -m "not exhaustive" $(ARGS) || { [ $$? = 1 ] && $(BIN)/pytest -n 0 -v --last-failed --last-failed-no-failures none --maxfail 1; }

test-train: $(TRAIN)/stamp
	$(TRAIN)/bin/pytest -c tests/train/pytest.ini tests/train $(ARGS)

coverage: $(STAMPS)/dev
	$(BIN)/xentarena judges install $(USUAL)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

check: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/server/test_migrations.py

clean:
	rm -rf $(VENV) $(TRAIN) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Xent Arena needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)." >&2; \
	  echo "Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON) -m venv' failed. On Debian and Ubuntu it comes with the package python3-venv." >&2; exit 1; }
	$(PIP) install -q -c constraints.txt pip
	@mkdir -p $(STAMPS) && touch $@

# First and alone: nothing that comes after may choose another build.
$(STAMPS)/torch: $(STAMPS)/venv
	@echo "Installing PyTorch; this is the largest part (README.md says how large)."
	$(PIP) install --no-deps $(if $(TORCH_INDEX),--force-reinstall --index-url $(TORCH_INDEX)) $(TORCH)
	@echo "$(TORCH) $(TORCH_INDEX)" > $@

$(STAMPS)/all: $(STAMPS)/torch pyproject.toml constraints.txt
	$(PIP) install -q -c constraints.txt hatchling editables
	$(PIP) install -q -c constraints.txt --no-build-isolation -e '.[all]'
	@touch $@

$(STAMPS)/dev: $(STAMPS)/all
	$(PIP) install -q -c constraints.txt --group dev
	@touch $@

$(TRAIN)/stamp: pyproject.toml constraints-train.txt
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN_PIP) install -q -c constraints-train.txt pip
	$(TRAIN_PIP) install -q --no-deps $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH)
	$(TRAIN_PIP) install -q -c constraints-train.txt hatchling editables
	$(TRAIN_PIP) install -q -c constraints-train.txt --no-build-isolation -e '.[judge,train]' --group test-train
	@touch $@
