PYTHON ?= python3
DEMO := .venv
TEST := .venv-test
BACKENDS := tensorflow jax torch
PIP_FLAGS := --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint format benchmarks clean

demo: $(DEMO)/installed
	KERAS_BACKEND=tensorflow $(DEMO)/bin/segpaint demo --out demo_report

$(DEMO)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install $(PIP_FLAGS) -e ".[demo]"
	touch $@

test: $(TEST)/installed lint
	@set -e; for backend in $(BACKENDS); do \
		echo "=== KERAS_BACKEND=$$backend"; \
		KERAS_BACKEND=$$backend $(TEST)/bin/python -m pytest -n 2; \
	done

lint: $(TEST)/installed
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/mypy
	$(TEST)/bin/lint-imports

format: $(TEST)/installed
	$(TEST)/bin/ruff check --fix .
	$(TEST)/bin/ruff format .

# torch comes first and alone: with it in place nothing else asks for a larger build of it.
$(TEST)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(TEST)
	$(TEST)/bin/python -m pip install $(PIP_FLAGS) torch==2.13.0
	$(TEST)/bin/python -m pip install $(PIP_FLAGS) -e ".[dev]"
	touch $@

benchmarks: $(TEST)/installed
	KERAS_BACKEND=tensorflow $(TEST)/bin/python -m benchmarks

clean:
	rm -rf $(DEMO) $(TEST) .venv-peers .venv-peers-litert demo_report
