# Everything a newcomer needs: `make demo` and `make test`. Both work on a machine with Python >= 3.11, its venv module, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH :=

.PHONY: demo serve test check fmt bench soak lock docs screenshots frontend clean
.DEFAULT_GOAL := demo

$(VENV)/.base: requirements/base.txt pyproject.toml tools/environment.py
	@$(PYTHON) tools/environment.py base

$(VENV)/.dev: requirements/dev.txt pyproject.toml tools/environment.py
	@$(PYTHON) tools/environment.py dev

frontend: $(VENV)/.base  ## The browser bundle, rebuilt only when its sources changed.
	@$(BIN)/python tools/frontend.py build

demo: $(VENV)/.base frontend  ## Real buildings and homes, one settled event, one about to be called, on port 8000.
	@$(BIN)/commonwatt demo

serve: $(VENV)/.base frontend  ## Your own install, with the settings of the environment.
	@$(BIN)/commonwatt migrate
	@$(BIN)/commonwatt serve

test: $(VENV)/.dev frontend  ## The whole suite; says by name what it had to leave out. make test ARGS=tests/jobs
	@$(BIN)/python tools/run_tests.py $(ARGS)

check: export COMMONWATT_DATA_DIR := $(CURDIR)/build/check
# The front end before pyright: it brings Node along where the system has none, and pyright runs on that.
check: $(VENV)/.dev  ## Style, types, layers, front end, migrations, reference pages.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tools/frontend.py check
	$(BIN)/pyright --warnings
	$(BIN)/lint-imports
	$(BIN)/commonwatt migrate --check
	$(BIN)/python tools/make_docs.py --check

fmt: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev frontend  ## make bench ONLY=name,name
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

soak: $(VENV)/.dev frontend  ## The long crash series.
	@$(BIN)/python tools/run_tests.py --soak

lock: $(VENV)/.dev  ## Exact versions with hashes, without addresses.
	@$(BIN)/python tools/lock.py

docs: $(VENV)/.dev  ## Regenerates the reference pages that are made from the code.
	@$(BIN)/python tools/make_docs.py

screenshots: $(VENV)/.dev frontend  ## Every page, phone and desktop, light and dark, into build/screenshots.
	@$(BIN)/python tools/screenshots.py

clean:
	rm -rf build $(VENV) frontend/node_modules src/commonwatt/portal/static/dist
