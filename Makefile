# `make demo` and `make test` do all the set-up they need. `make help` lists the rest.
.DEFAULT_GOAL := help
PY := .venv/bin/python
WORKERS := 2

help:    ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

setup:   ## make .venv from the pins (the other targets call it)
	@python3 scripts/setup.py
	@$(PY) scripts/fetch_model.py

check: setup  ## format, lint, types, protos, pages
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m mypy --explicit-package-bases tests scripts/speech
	MYPYPATH=bench $(PY) -m mypy --explicit-package-bases bench soak
	$(PY) scripts/protos.py check
	$(PY) scripts/service_pages.py check

fix: setup  ## format and mend what can be mended
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

demo: setup  ## three speakers, three services, on this terminal (SPEED=4 for faster)
	@$(PY) -m cortex_client.demo

up: setup  ## the demo's services until Ctrl-C
	@$(PY) -m cortex_client.demo.up

test: setup  ## every test, on real PostgreSQL and NATS
	$(PY) -m pytest --numprocesses $(WORKERS) --dist loadfile

bench: setup  ## figures beside those of floors, all or one (NAME=commands)
	@$(PY) bench $(NAME)

speech: setup  ## measure the speech model anew and write docs/speech.md (minutes)
	@$(PY) -m scripts.speech

soak: setup  ## kill things at random and count what is lost (SOAK_MINUTES=10, SEED to repeat); or KIND=speakers
	@PYTHONPATH=bench $(PY) -m soak$(addprefix .,$(KIND))

protos: setup  ## generate libs/contracts anew from protos/
	$(PY) scripts/protos.py generate

pages: setup  ## write the tables of settings and metrics in services/*/README.md anew
	$(PY) scripts/service_pages.py write

pins: setup  ## compile requirements/ anew
	scripts/pin.sh

.PHONY: help setup demo up check fix test bench speech soak protos pages pins
