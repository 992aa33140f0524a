# Every target creates the environment that it needs.
PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed
export PATH := $(CURDIR)/$(BIN):$(PATH)
SHELL := /bin/bash
PYTEST := pytest -n auto --maxprocesses 8

.PHONY: help install repro smoke fashion faces stacked likelihood full test test-all pins fuzz chaos lint check-locks ui bench bench-quality bench-challenge across docs lock wheel clean
.DEFAULT_GOAL := help
CHAOS ?= --write docs/reliability.md

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED)  ## Create .venv and install from the lock file

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# `dvc repro` does the same, one stage after another.
repro: $(INSTALLED)  ## Reproduce the laptop profile (results/laptop), one run per core
	ganvae repro

# A match refuses the records of code that behaves differently, so the earlier ones are deleted.
smoke: $(INSTALLED)  ## Run the whole pipeline and a match in small (results/smoke)
	ganvae repro profiles/smoke/dvc.yaml
	rm -rf results/matches/smoke
	ganvae sweep match smoke

fashion: $(INSTALLED)  ## The same on Fashion-MNIST (results/fashion); `ganvae fetch fashion-mnist` first
	ganvae repro profiles/fashion/dvc.yaml

faces: $(INSTALLED)  ## The same on faces (results/faces); needs data/raw/lfw
	ganvae repro profiles/faces/dvc.yaml

stacked: $(INSTALLED)  ## The same on stacked MNIST, 1,000 modes (results/stacked)
	ganvae repro profiles/stacked/dvc.yaml

likelihood: $(INSTALLED)  ## Bound the VAEs' likelihood of binarised MNIST (results/likelihood)
	ganvae repro profiles/likelihood/dvc.yaml

full: $(INSTALLED)  ## The systems' own budgets (results/full); some eight hours on two cores, estimated
	ganvae repro profiles/full/dvc.yaml

test: $(INSTALLED)  ## Run the fast tests
	$(PYTEST) --dist worksteal -m "not slow"

test-all: $(INSTALLED)  ## Run all tests, or only TESTS="FOLDER ..."
	$(PYTEST) --dist loadfile --no-loadscope-reorder -m "$(MARKS)" $(TESTS)

pins: $(INSTALLED)  ## Check that tests and fingerprints catch planted faults
	python tests/pins.py
	python tests/moved.py

fuzz: $(INSTALLED)  ## Feed 5,000 valid and damaged inputs to every reader of files
	PYTHONPATH=tests:tests/fuzz:tests/helpers python tests/fuzz/fuzzing.py

chaos: $(INSTALLED)  ## Kill commands, fill their disks, and compare with undisturbed runs (as root)
	PYTHONPATH=tests:tests/chaos:tests/helpers python tests/chaos/campaign.py $(CHAOS)

lint: $(INSTALLED)  ## Check style and types
	ruff check .
	ruff format --check .
	mypy

check-locks: $(INSTALLED)  ## Fail if a committed dvc.lock is older than the code, parameters or data
	ganvae check-locks

ui: $(INSTALLED)  ## Open the MLflow UI on all recorded runs
	ganvae ui

bench: $(INSTALLED)  ## Measure against named baselines; results in benchmarks/RESULTS.md
	python benchmarks/training.py
	python benchmarks/metrics.py
	python benchmarks/stages.py
	python benchmarks/judge_sensitivity.py
	python benchmarks/coverage.py
	python benchmarks/streaming.py

bench-quality: $(INSTALLED)  ## FID of the finalists after 60 and 480 CPU-seconds (40 minutes)
	python benchmarks/quality.py
	python benchmarks/quality.py --keep --variants dcgan-tuned --budgets 480 --seeds 2

bench-challenge: $(INSTALLED)  ## Try to overturn the matches with configurations chosen by hand (15 minutes)
	dvc repro -q dvc.yaml:reference profiles/fashion/dvc.yaml:reference profiles/faces/dvc.yaml:reference profiles/stacked/dvc.yaml:reference
	python benchmarks/challenge.py

# `dvc repro results/dvc.yaml` would bring every profile up to date first.
across: $(INSTALLED)  ## Write the page across data sets (results/across.md)
	dvc repro --single-item results/dvc.yaml

docs: $(INSTALLED)  ## Write the generated parts of docs/ and README.md, and a site (build/site)
	python docs/make_models.py
	python docs/make_results.py
	python docs/make_readme.py
	python docs/make_film.py
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

lock: $(INSTALLED)  ## Renew requirements.lock from pyproject.toml
	pip-compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-find-links \
	    --no-emit-trusted-host --extra pipeline --extra cluster --extra postgres --extra dev --output-file requirements.lock pyproject.toml
	sed -i 's/^\(torch==[0-9.]*\)+cpu/\1/' requirements.lock  # the same file serves GPU machines

wheel: $(INSTALLED)  ## Build the package with judges and weights (dist/), for use without a clone
	rm -rf build dist
	python -m build --outdir dist

clean:  ## Remove the environment, unfinished runs and caches; results and data stay
	rm -rf .venv .state build dist .mypy_cache .ruff_cache .pytest_cache
