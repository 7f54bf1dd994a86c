# Every target works as the first command after `git clone`: it makes .venv, installs requirements.lock
# into it, and goes on. A second call installs nothing again.

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
HALF_MADE := $(VENV)/.installing
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help reproduce audit quick test test-long test-all test-versions style lab lesson weights notebooks course book course-copy status lock clean python

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{printf "%-18s %s\n", $$1, $$2}'
	@echo 'ARGS="…" goes on to the command, as in: make reproduce ARGS="--data data/ivdm3seg --profile laptop --name mine"'

reproduce: $(STAMP) ## the whole job on the phantom, profile smoke: lessons, tables, report
	$(BIN)/python -m ivdlib reproduce --profile smoke $(ARGS)

audit: $(STAMP) ## judge the paper's claims: says what is left and for how long, then runs it (days)
	$(BIN)/python -m ivdlib audit $(ARGS)

# Two at a time, a file whole: what its tests share is made once.
# A process that was lost is not begun again: the rest would wait for it for ever.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0
QUICK := preprocessing evaluation/test_metrics.py \
  $(patsubst %,networks/test_%.py,blocks config convolution fast losses normalisation resize)
quick: $(STAMP) ## within a minute: tests of layers, fusion, splits and metrics
	$(PYTEST) -m "not slow and not long" $(addprefix tests/,$(QUICK)) $(ARGS)

test: style ## within ten: lint, floors, notebooks in step with their source, all tests but the long
	$(PYTEST) -m "not long" $(ARGS)

test-long: $(STAMP) ## the long tests alone
	$(PYTEST) -m long $(ARGS)

test-all: test test-long ## everything, as CI does

test-versions: $(STAMP) ## the wheel and make quick on each Python here, and with the oldest packages; an hour
	$(BIN)/python benchmarks/versions.py $(ARGS)

style: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/python notebooks/build.py --check

weights: $(STAMP) ## the weights that come with ivdlib, by benchmarks/weights/recipe.toml; hours
	$(BIN)/python benchmarks/weights/make.py --data "$${IVDLIB_DATA:-data}" $(ARGS)

# JupyterLab's news pop-up covers the notebook, so it is switched off inside .venv.
LAB_SETTINGS := $(VENV)/share/jupyter/lab/settings
lab: $(STAMP) ## JupyterLab with lesson 00 in my_lessons/, a folder of your own
	@mkdir -p $(LAB_SETTINGS)
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' > $(LAB_SETTINGS)/overrides.json
	@$(BIN)/python -m ivdlib start
	$(BIN)/jupyter lab --notebook-dir=. my_lessons/00_start_here.ipynb $(ARGS)

lesson: $(STAMP) ## one lesson, run and kept under reports/: make lesson N=05
	@[ -n "$(N)" ] || { echo 'Which lesson? Say for example: make lesson N=05' >&2; exit 2; }
	$(BIN)/python -m ivdlib lesson $(N) $(ARGS)

notebooks: $(STAMP) ## notebooks/*.ipynb from notebooks/src/*.py; what you saved in them is kept
	$(BIN)/python notebooks/build.py

course: $(STAMP) ## a course folder for nbgrader, see notebooks/INSTRUCTOR.md
	$(BIN)/python notebooks/build.py --nbgrader course

BOOK := @$(BIN)/python -c 'import furo, myst_nb, onnx' 2>/dev/null || $(BIN)/python -m pip install -qq -c requirements.lock 'sphinx>=7.2' 'myst-nb>=1.1' 'furo>=2024.1' 'onnx>=1.16'
book: $(STAMP) ## lessons, docs and reference as an offline site under reports/book/
	$(BOOK)
	$(BIN)/python notebooks/book.py $(ARGS)

course-copy: $(STAMP) ## the course as git shows it, reports/reference/course/; runs lessons that changed
	$(BOOK)
	$(BIN)/python notebooks/book.py --copy $(ARGS)

status: $(STAMP) ## reports/status.md from the executed lessons of reports/smoke
	$(BIN)/python notebooks/status.py reports/smoke

# Names and versions only: no addresses, no hashes. pip stays the one that .venv came with, and TensorFlow
# is there twice, each with its machines, which pip-compile drops: only Linux on x86_64 has a CPU build by
# another name.
lock: $(STAMP) ## requirements.lock anew from pyproject.toml, on Python 3.11 (ARGS=--upgrade for newer versions)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo 'requirements.lock is made on Python 3.11; $(VENV) has another. Remove $(VENV) and call: make lock PYTHON=python3.11' >&2; exit 1; }
	@cp requirements.lock $(VENV)/lock.txt
	$(BIN)/pip-compile --quiet --extra cpu --extra dev --strip-extras --allow-unsafe --no-annotate --output-file $(VENV)/lock.txt $(ARGS) pyproject.toml
	@sed -nE -e '/^(pip|tensorflow)==/d' \
	  -e 's/^tensorflow-cpu(==[^ ]+).*/tensorflow-cpu\1 ; sys_platform == "linux" and platform_machine == "x86_64"\ntensorflow\1 ; sys_platform != "linux" or platform_machine != "x86_64"/' \
	  -e '/^[a-z0-9._-]+==/p' $(VENV)/lock.txt | LC_ALL=C sort > $(VENV)/lock.new
	@mv $(VENV)/lock.new requirements.lock
	@wc -l requirements.lock

clean: ## what it would delete, and how much; deletes with YES=1 (data/ and reports/ stay)
	@found=$$( { ls -d .venv .venv.old build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache 2>/dev/null; \
	    find . \( -path ./.venv -o -path ./.venv.old -o -path ./.git \) -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -print -prune; } ); \
	if [ -z "$$found" ]; then echo 'Nothing to delete.'; \
	else echo "$$found" | xargs -d '\n' du -shc; \
	  if [ "$(YES)" = 1 ]; then echo "$$found" | xargs -d '\n' rm -rf; echo 'Deleted.'; \
	  else echo 'Nothing was deleted. To delete all this: make clean YES=1'; fi; \
	fi; \
	echo 'Kept, yours to delete by hand:'; du -sh data reports

# A command on the path need not run (pyenv leaves such names), and a Python need not be able to make
# an environment (Debian packs that part apart): both are tried, not assumed.
define FIND_PYTHON
usable() { "$$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; }
found=
for python in $${PYTHON:-python3.11 python3.12 python3.13 python3}; do
  usable "$$python" >/dev/null 2>&1 || continue
  if "$$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then echo "$$python"; exit 0; fi
  found="$$found $$python"
done
if [ -n "$$found" ]; then
  echo "Python is here ($${found# }) but cannot make an environment: run 'sudo apt-get install python3-venv', then make again." >&2
elif [ -n "$$PYTHON" ]; then
  echo "PYTHON=$$PYTHON is no Python 3.11, 3.12 or 3.13 that runs: name another, or leave PYTHON out." >&2
else
  echo "No Python 3.11, 3.12 or 3.13 that runs was found: install one (Debian: sudo apt-get install python3 python3-venv), or name it with make PYTHON=/path/to/python3.11." >&2
fi
exit 1
endef
export FIND_PYTHON

python:
	@sh -c "$$FIND_PYTHON"

# An installation that was cut off leaves its mark, and the next call starts afresh; one that failed with
# a message (no network, a full disk) goes on where it stopped. TensorFlow's builds share a folder, so on
# Linux on x86_64, where the lock has the build without CUDA, an older .venv's goes first.
$(STAMP): requirements.lock pyproject.toml
	@rm -rf $(VENV).old
	@if [ -e $(VENV) ] && { [ -e $(HALF_MADE) ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; }; then \
	  echo '$(VENV) is half-made: making it anew.'; mv $(VENV) $(VENV).old && rm -rf $(VENV).old; fi
	@if [ -e $(VENV) ]; then echo 'Bringing $(VENV) in step with requirements.lock.'; \
	  if [ "$$(uname -sm)" = 'Linux x86_64' ] && $(BIN)/python -m pip show -qq tensorflow 2>/dev/null; then \
	    echo 'TensorFlow makes room for its build without CUDA.'; \
	    $(BIN)/python -m pip uninstall -qqy tensorflow tensorflow-cpu; fi; \
	else \
	  python=$$(sh -c "$$FIND_PYTHON") || exit 1; \
	  echo 'Installing TensorFlow for the CPU, Keras, JupyterLab and what they need into $(VENV): once, 600 MB to download, 2.7 GB on disk, 2 to 4 minutes.'; \
	  mkdir -p $(VENV) && touch $(HALF_MADE) && "$$python" -m venv $(VENV); fi
	@touch $(HALF_MADE); \
	( n=0; while sleep 20 >/dev/null 2>&1 && kill -0 $$$$ 2>/dev/null; do n=$$((n + 20)); echo "  still installing, after $$n s"; done ) & \
	beat=$$!; trap 'kill $$beat 2>/dev/null' EXIT; trap 'exit 130' INT TERM; \
	$(BIN)/python -m pip install -qq -r requirements.lock && \
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e . || \
	  { rm -f $(HALF_MADE); echo 'The installation failed; the lines above say why. Mend it and call make again.' >&2; exit 1; }
	@touch $@ && rm -f $(HALF_MADE)
