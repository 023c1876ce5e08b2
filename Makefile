# Two commands matter: make demo, make test. Each sets up what it needs; nothing else has to be there but Python 3.11+.
#   PYTHON=python3.12  the Python that makes the environment      VENV=path  the environment (default: the active one, else .venv)
#   ARGS="..."         passed on, e.g. make test ARGS="04_metrics export" or make demo ARGS="--out my-run"
#   FORCE=1            install even where the environment holds the vidgan_nb of another clone
VENV   ?=
PYTHON ?=
ARGS   ?=
FORCE  ?=

# The folder that an environment has vidgan_nb from, where that is another clone's (see tools/whose.py). Such an environment stays as it is:
# an active one is passed over for .venv, one that was asked for is refused.
whose = $(shell "$(1)/bin/python" -I tools/whose.py 2>/dev/null)
ENV   := $(or $(VENV),$(VIRTUAL_ENV),.venv)
WHOSE := $(call whose,$(ENV))
OTHER  = $(if $(FORCE),,$(filter-out again,$(WHOSE)))
ifneq ($(and $(OTHER),$(or $(CI),$(if $(VENV),,default))),)
  PASSED := $(ENV) has vidgan_nb installed from $(OTHER) and stays as it is: this clone uses .venv
  ENV    := .venv
  WHOSE  := $(call whose,.venv)
endif
REFUSED = $(ENV) has vidgan_nb installed from $(OTHER); nothing was changed. This clone's own environment: make VENV=.venv test. To take that one over: make setup VENV=$(ENV) FORCE=1
BIN   := $(ENV)/bin
STAMP := $(ENV)/.vidgan-installed

.PHONY: help setup demo test drill test-site lab docs export bench clean check-env again
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## the environment only (by itself part of each of the others)

demo: $(STAMP) ## train a WGAN-GP on drawn digits and look at what it learnt (under 3 minutes on 2 cores)
	@$(BIN)/vidgan demo $(ARGS)

test: $(STAMP) ## every notebook, and all that keeps them honest
	@$(BIN)/python tools/test.py $(ARGS)

drill: $(STAMP) ## kill, damage, attack: every loop and every kind of file (about 20 minutes on 2 cores)
	@$(BIN)/python tools/drill.py $(ARGS)

test-site: $(STAMP) ## the site in a real browser (needs node and chromium; says what it skips)
	@$(BIN)/python tools/browser.py $(ARGS)

lab: $(STAMP) ## the notebooks, in JupyterLab
	@cd nbs && $(abspath $(BIN))/jupyter lab $(ARGS)

docs: $(STAMP) ## the site, into _docs (needs Quarto)
	@$(BIN)/python tools/pages.py build

export: $(STAMP) ## notebooks -> vidgan_nb/ and README.md, and clean the notebooks
	@$(BIN)/nbdev_export && $(BIN)/nbdev_clean && $(BIN)/python tools/readme.py

bench: $(STAMP) ## the speed claims, paired and interleaved
	@$(BIN)/vidgan bench
	@for f in tools/bench*.py; do echo "== $$f"; $(BIN)/python $$f $(ARGS) || exit 1; done

clean: ## all that is made: .venv, the staged and the built site, caches
	@rm -rf .venv _proc _docs build dist *.egg-info nbs/nbdev.yml
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The first Python that is new enough and can make environments, or one clear line.
$(BIN)/python:
	@for p in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	  $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	    { echo "making $(ENV) with $$($$p --version)"; exec $$p -m venv "$(ENV)"; }; \
	done; \
	echo "No Python 3.11+ with venv among: $(or $(PYTHON),python3 python3.13 python3.12 python3.11). Install one (Debian: also python3-venv), or say: make PYTHON=/path/to/python3" >&2; exit 1

check-env:
	@$(if $(PASSED),echo "$(PASSED)" >&2)
	@$(if $(OTHER),echo "$(REFUSED)" >&2; exit 1)

$(STAMP): settings.ini setup.py $(if $(WHOSE)$(FORCE),again) | check-env $(BIN)/python
	@echo "installing vidgan_nb and what it needs into $(ENV) (torch is large: a minute or more)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[dev]'
	@touch $@
