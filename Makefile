# Two commands are all a newcomer needs: `make demo` and `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 8000
# Data, media, logs, mail and the key of the demo live here. Git ignores it.
DATA_DIR ?= $(CURDIR)/data
export DATA_DIR

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
# For what only reads the code.
ANY_KEY = SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')

.PHONY: help demo test bench soak lint messages format lock clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: .venv/installed $(DATA_DIR)/secret_key ## Run the demo program at http://127.0.0.1:8000 (PORT= changes it)
	@DEMO=1 $(MANAGE) demo --port $(PORT)

# As many at once as there are cores, each with a database of its own: much of a test of real processes is waiting.
SIDE_BY_SIDE ?= -n auto --maxprocesses=4 --dist worksteal
test: .venv/installed-dev ## Run all tests (on PostgreSQL: DATABASE_URL=postgres://... make test)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

bench: .venv/installed-dev ## Measure against honest floors (BENCH_SCALE=tiny, usual or full)
	$(BIN)/python -m project.bench

SOAK := LIFE_RUNS=500 LIFE_STEPS=40 RACE_ATTEMPTS=200 KILLS=100 KILLED_NOTICES=1000 API_CASES=5000 $(BIN)/python -m pytest -s \
  scheduling/tests/test_life.py scheduling/tests/test_race.py scheduling/tests/test_kills.py scheduling/tests/test_api_schema.py
soak: .venv/installed-dev ## Live, race and kill for long, on SQLite (and PostgreSQL: DATABASE_URL=postgres://... make soak)
	DATABASE_URL= $(SOAK)
	$(if $(DATABASE_URL),$(SOAK))

lint: .venv/installed-dev ## Check style, templates and missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files '*.html' '*.txt' | grep '^templates/' | xargs $(BIN)/djade --target-version 5.2 --check
	$(ANY_KEY) DATABASE_URL= $(MANAGE) makemigrations --check --dry-run

messages: .venv/installed-dev ## Collect what is marked for translation, and write the German catalogue (needs gettext)
	$(ANY_KEY) $(MANAGE) makemessages --locale de --no-obsolete --add-location file --ignore .venv --ignore .tools --ignore data
	$(ANY_KEY) $(MANAGE) compilemessages --locale de --ignore .venv

format: .venv/installed-dev ## Put code and templates into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files '*.html' '*.txt' | grep '^templates/' | xargs $(BIN)/djade --target-version 5.2

# The lock files carry hashes and no host names.
UV_COMPILE := .tools/bin/uv pip compile --universal --generate-hashes --no-header --quiet --upgrade
lock: ## Renew requirements.txt and requirements-dev.txt
	$(PYTHON) -m pip install --quiet --upgrade --target .tools uv
	$(UV_COMPILE) --extra postgres --extra redis pyproject.toml -o requirements.txt
	$(UV_COMPILE) --group dev -c requirements.txt -o requirements-dev.txt

clean: ## Remove the installation (the demo's data stays)
	rm -rf .venv .tools .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one with PYTHON=python3.11.")'
	@# Some Debian machines have no python3-venv: uv makes the same environment there.
	@$(PYTHON) -m venv .venv 2>/dev/null || { \
	  rm -rf .venv && $(PYTHON) -m pip install --quiet --target .tools uv \
	  && .tools/bin/uv venv --quiet --seed --python $(PYTHON) .venv; }

.venv/installed: .venv/bin/python requirements.txt
	@echo "Installing ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(DATA_DIR)/secret_key:
	@mkdir -p $(DATA_DIR)
	@umask 077 && $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))' > $@
