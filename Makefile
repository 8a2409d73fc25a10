# The verbs of this project. `make check` is quiet when all is well.
PYTHON := .venv/bin/python
TEMPLATES := templates
COMPILE := .cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock"

.PHONY: help run demo test check lint format types imports templates lock vendor \
	bench-engine bench-start bench-workers bench-autocomplete bench-load bench-pages

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## start the site
	./run

demo: ## start the site with the article's models measured
	./run --demo

test: ## the whole suite, browser journeys included
	./test

check: lint types imports templates ## everything that reads the code without running it

lint: ## format and rules
	@.venv/bin/ruff format --quiet --check . || { echo "make format lays it out"; exit 1; }
	@.venv/bin/ruff check --quiet .

format: ## lay out the code and mend what can be mended
	.venv/bin/ruff check --quiet --fix . || true
	.venv/bin/ruff format .

types: ## mypy --strict on what stands below Django
	@.venv/bin/mypy --no-error-summary

imports: ## the floors, and the order inside benchmarks
	@mkdir -p .cache
	@.venv/bin/lint-imports --config pyproject.toml > .cache/imports.txt 2>&1 \
		|| { cat .cache/imports.txt; exit 1; }

templates: ## lint the templates
	@mkdir -p .cache
	@.venv/bin/djlint --lint --quiet $(TEMPLATES) > .cache/templates.txt 2>&1 \
		|| { cat .cache/templates.txt; exit 1; }

lock: ## pin every package anew, with hashes
	test -x .cache/lock/bin/uv || { python3 -m venv .cache/lock && .cache/lock/bin/pip install --quiet uv; }
	$(COMPILE) $(UPGRADE) requirements.in -o requirements.txt
	$(COMPILE) $(UPGRADE) requirements-s3.in -o requirements-s3.txt
	$(COMPILE) $(UPGRADE) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) $(UPGRADE) requirements-node.in -o requirements-node.txt
	npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved=true

bench-engine: ## compare the engine with other ways of timing (python -m benches.compare_engines says how)
	$(PYTHON) -m benches.compare_engines

bench-autocomplete: ## how quickly the search boxes answer (DATABASE_URL chooses the database)
	$(PYTHON) -m benches.autocomplete

bench-pages: ## how quickly pages answer about a model with 100,000 runs (needs DATABASE_URL)
	$(PYTHON) -m benches.pages

bench-workers: ## runs a minute with 1, 2, 4, 8 measuring machines (needs DATABASE_URL, REDIS_URL)
	$(PYTHON) -m benches.compare_worker_counts

bench-load: ## readers and large uploads while runs are measured (python -m benches.load says how)
	$(PYTHON) -m benches.load

bench-start: ## where a run's time goes beside measuring
	$(PYTHON) -m benches.start

vendor: ## fetch the front-end files
	$(PYTHON) -P carbonsite/vendor.py
