# make run    start the app (installs into .venv first, if anything changed)
# make test   lint, types, and every test that needs neither a browser nor minutes
# make check  all of that and every other test
# make space  start what would be pushed as a Hugging Face Space, as that starts it (root, Linux)
# PYTHON=...  choose an interpreter; the first one of version 3.11 or later is taken otherwise

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.PHONY: run test check lint space clean

run: .venv/app.stamp
	$(BIN)/python app.py

# Two processes of one thread each; more threads would only wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope

test: .venv/test.stamp lint
	$(PYTEST) -m "not browser and not slow"

check: .venv/test.stamp lint
	$(PYTEST) -m "not browser"
	$(PYTEST) -m browser

space:
	python3 .ci/space.py

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy recon train.py app.py tests examples

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; say where with: make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/app.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -r requirements.txt
	@touch $@

.venv/test.stamp: tests/requirements.txt .venv/app.stamp
	$(BIN)/python -m pip install -q -r tests/requirements.txt
	@# Only its evaluation functions are compared with, and they need none of its dependencies.
	$(BIN)/python -m pip install -q --no-deps fastmri==0.3.0
	@touch $@

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache out
