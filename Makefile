# Every target is one script in dev/; `make help` lists them.
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help run test soak lint fmt bench pot device clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' $(firstword $(MAKEFILE_LIST))

run: ## serve Odoo with demo data on http://localhost:8069 (PORT=, DB=, INTERFACE=, ODOO_HOME=)
	@exec $(PYTHON) dev/run.py $(if $(PORT),--port '$(PORT)') $(if $(DB),--db '$(DB)') $(if $(INTERFACE),--interface '$(INTERFACE)')

test: ## run the suite on a fresh database (T=test_file runs one on the kept database, K=, COV=1; JOBS=2 is faster where nothing else runs)
	@exec $(PYTHON) dev/test.py $(if $(JOBS),--jobs '$(JOBS)') $(if $(COV),--cov) $(if $(K),-k '$(K)') $(T)

soak: ## run the long tests (marked soak)
	@exec $(PYTHON) dev/test.py --soak $(if $(K),-k '$(K)') $(T)

lint: ## ruff, pylint-odoo and the OCA checks on a staged copy
	@exec $(PYTHON) dev/lint.py

fmt: ## format Python, XML, JavaScript and SCSS
	@exec $(PYTHON) dev/fmt.py

bench: ## measure what dev/bench measures (NAME=, QUICK=1, SIZES=10000,100000,1000000)
	@exec $(PYTHON) dev/bench.py $(if $(QUICK),--quick) $(if $(SIZES),--sizes '$(SIZES)') $(NAME)

pot: ## export the translation template and merge it into fa.po (CHECK=1 only checks)
	@exec $(PYTHON) dev/pot.py $(if $(CHECK),--check)

device: ## a club device on the command line (ARGS=)
	@exec $(PYTHON) dev/device.py $(ARGS)

clean: ## stop what still runs and delete .local
	@exec $(PYTHON) dev/clean.py
