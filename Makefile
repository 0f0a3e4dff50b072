# Everything a newcomer needs: `make ask`, `make test`. `make help` lists the rest.

VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
PORT ?= 9200
DOCS ?= examples/documents
SERVICE_PORT ?= 8000
Q ?= Who sang the national anthem at Super Bowl 50?
# Each collection has an index of its own; the examples have the one that `excerpt` uses by default.
STORE ?= $(if $(filter examples/documents,$(DOCS)),.excerpt,.excerpt-docs/$(firstword $(shell printf '%s' '$(DOCS)' | cksum)))

override Q := $(value Q)
export Q DOCS STORE
# A package index that serves a lean PyTorch, without CUDA, for machines without an NVIDIA device. Empty: pip's own.
TORCH_INDEX ?=
BIN := $(VENV)/bin
INDEXED = $(STORE)/made-by-make

.DEFAULT_GOAL := help
.PHONY: ask serve test lint types docs help setup elasticsearch

help: ## Show this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

define index
@if [ ! -f "$(INDEXED)" ] || [ -n "$$(find "$$DOCS" -newer "$(INDEXED)" -print -quit)" ]; then \
  code=0; $(BIN)/excerpt index --store "$$STORE" "$$DOCS" || code=$$?; \
  if [ $$code -ne 0 ] && [ $$code -ne 3 ]; then exit $$code; fi; \
  touch "$(INDEXED)"; \
fi
endef

ask: $(VENV)/made-to-run ## Index DOCS (examples/documents) if that is to be done, and answer Q
	$(index)
	@printf '\n%s\n\n' "$$Q"
	@$(BIN)/excerpt ask --store "$$STORE" -- "$$Q"

serve: $(VENV)/made-to-serve ## The same DOCS behind HTTP and in the browser, on SERVICE_PORT (8000), until Ctrl-C
	$(index)
	@$(BIN)/excerpt serve --store "$$STORE" --port $(SERVICE_PORT)

test: $(VENV)/made-to-test ## Set up what tests need and run them all
	$(BIN)/python -m pytest

lint: $(VENV)/made-to-test ## Check style, format, and which room imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/made-to-test ## Check types
	$(BIN)/mypy

docs: $(VENV)/made-to-test ## Write docs/settings.md and the picture of the README again, from the code and a real answer
	$(BIN)/excerpt index --quiet --store .excerpt examples/documents
	$(BIN)/python -m scripts.settings
	$(BIN)/python -m scripts.picture .excerpt

elasticsearch: $(VENV)/made-to-test ## Start an Elasticsearch to play with on PORT (9200), until Ctrl-C
	@$(BIN)/python -m elasticsearch_server $(PORT)

setup: $(VENV)/made-to-test ## Only set up the environment, with all that tests need

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Excerpt needs Python 3.11 or newer; name one with make PYTHON=...' >&2; exit 1; }
	"$(PYTHON)" -m venv "$(VENV)"

# The stamps: with nothing changed, pip is not even asked.
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TORCH = $(if $(TORCH_INDEX),$(if $(wildcard /dev/nvidia0),,$(PIP) --index-url "$(TORCH_INDEX)" torch))

# What answering needs, and nothing of training, serving and other engines.
$(VENV)/made-to-run: pyproject.toml constraints.txt | $(BIN)/python
	$(TORCH)
	$(PIP) -e .
	@touch $@

$(VENV)/made-to-serve: $(VENV)/made-to-run
	$(PIP) -e '.[serve]'
	@touch $@

$(VENV)/made-to-test: pyproject.toml constraints.txt | $(BIN)/python
	$(TORCH)
	$(PIP) -e '.[test]'
	@touch $(VENV)/made-to-run $(VENV)/made-to-serve $@
