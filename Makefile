# What a developer does here; `make help` lists it. Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# `make run TORCH=cpu` takes PyTorch without CUDA from an index of its own, a fifth of the 6 GB.
TORCH ?= default
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
ifeq ($(filter default cpu cuda,$(TORCH)),)
$(error TORCH must be cpu, or unset: PyTorch with CUDA on Linux; it is '$(TORCH)')
endif

.DEFAULT_GOAL := help
.PHONY: help run worker check test lint format constraints bench accuracy faults wasm shots clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

run: .venv/installed ## install what is missing, start the web server with a worker, print the address
	@$(BIN)/python -m app || [ $$? -eq 130 ]

worker: .venv/installed ## start one more worker on this machine or another (see docs/workers.md)
	@$(BIN)/python -m jobs || [ $$? -eq 130 ]

check: lint ## what to run before each commit: `lint`, and the tests that need no browser, server, training or database
	@$(BIN)/python -m pytest -m "not browser and not server and not training and not services"

test: .venv/tests ## all tests, as CI runs them
	@$(BIN)/python -m pytest

lint: .venv/tests ## formatting, style, types, and which package may import which
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/tests ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

constraints: .venv/tests ## put the newest versions that the requirements allow into constraints.txt; then `make test`
	$(BIN)/python -m pip install --upgrade --upgrade-strategy eager -r tests/requirements.txt
	$(BIN)/python -m tests.constraints

bench: .venv/tests ## measure speed and memory of a step against the usual way and the bare convolutions
	$(BIN)/python -m tests.benchmarks.speed --json bench.json

accuracy: .venv/tests ## measure the accuracy of the first experiments
	$(BIN)/python -m tests.benchmarks.first_light

faults: .venv/tests ## all faults and attacks, with figures in faults.json and plain Huey beside them; about two hours
	$(BIN)/python -m tests.faults.campaign --json faults.json; rc=$$?; \
	$(BIN)/python -m tests.faults.kill --json kills.json && \
	$(BIN)/python -m tests.faults.processes && \
	$(BIN)/python -m tests.faults.torture && \
	$(BIN)/python -m tests.faults.growth --short --json growth.json && \
	$(BIN)/python -m tests.faults.slurm --json slurm.json && \
	$(BIN)/python -m tests.faults.requests --json requests.json && exit $$rc

wasm: .venv/tests ## compile the kernels for browsers, static/engine/wasm; needed only after a change in C
	$(BIN)/python -m core.kernels.browser.build

shots: .venv/tests ## screenshots of every page and state, into shots/
	$(BIN)/python -m tests.browser.shots

clean: ## remove .venv and caches; data/ stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache shots

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is `$(PYTHON) --version 2>&1`. Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

# Install what $(1) asks for in the versions of constraints.txt; where one of them cannot be had, in others.
install = $(BIN)/python -m pip install $(2) -r $(1) -c constraints.txt || { \
	echo "The versions in constraints.txt cannot all be had here; trying the newest ones that $(1) allows."; \
	$(BIN)/python -m pip install $(2) -r $(1); }

# PyTorch alone comes from the index for CPUs, and stays: whatever else is installed must go with it.
has_no_cuda = import sys; from importlib.metadata import requires; \
	sys.exit(sys.platform == "linux" and any(part.startswith(("nvidia", "cuda")) for part in requires("torch") or ()))

.venv/installed: requirements.txt constraints.txt | .venv/bin/python
	@echo "Installing into .venv; the first time takes minutes, since PyTorch is large."
ifeq ($(TORCH),cpu)
	@{ $(BIN)/python -m pip install --progress-bar on --upgrade --no-deps --retries 1 --index-url $(TORCH_CPU_INDEX) \
		`grep '^torch' requirements.txt` && $(BIN)/python -c '$(has_no_cuda)'; } || { \
		echo "PyTorch for CPUs cannot be had from $(TORCH_CPU_INDEX). TORCH_CPU_INDEX names another index;"; \
		echo "without TORCH=cpu you get PyTorch with CUDA from the usual one."; exit 1; }
	@$(BIN)/python -m pip freeze | grep '^torch' > .venv/torch.txt
	@$(call install,requirements.txt,--progress-bar on -c .venv/torch.txt)
else
	@$(call install,requirements.txt,--progress-bar on)
endif
	@touch $@

.venv/tests: tests/requirements.txt .venv/installed
	@$(call install,tests/requirements.txt,-q)
	@touch $@
