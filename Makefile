# make run       start the app (installs into .venv first, if anything changed)
# make test      lint, types, and every test that needs neither a browser nor minutes
# make check     all of that and every other test
# make versions  the tests of make test on each version of Python, in environments under out/
# make space     start what would be pushed as a Hugging Face Space, as that starts it (root, Linux)
# PYTHON=...     choose an interpreter; the first one of version 3.11 or later is taken otherwise
# VENV=...       choose the environment's folder; .venv otherwise

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
VERSIONS := 3.11 3.12 3.13

.PHONY: run test quick versions check lint space clean

run: $(VENV)/app.stamp
	$(BIN)/python app.py

# Two processes of one thread each; more threads would only wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope

test: lint quick

quick: $(VENV)/test.stamp
	$(PYTEST) -m "not browser and not slow"

versions:
	for version in $(VERSIONS); do \
		python=$$(python3 .ci/interpreter.py $$version) && \
		$(MAKE) quick PYTHON="$$python" VENV=out/python$$version || exit 1; \
	done

check: lint $(VENV)/test.stamp
	$(PYTEST) -m "not browser"
	$(PYTEST) -m browser

space:
	python3 .ci/space.py

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy recon train.py app.py tests examples

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; say where with: make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/app.stamp: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install -q -r requirements.txt
	@touch $@

$(VENV)/test.stamp: tests/requirements.txt $(VENV)/app.stamp
	$(BIN)/python -m pip install -q -r tests/requirements.txt
	@# Only its evaluation functions are compared with, and they need none of its dependencies.
	$(BIN)/python -m pip install -q --no-deps fastmri==0.3.0
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache out
