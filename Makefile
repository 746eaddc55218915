# Runplane: `make run` starts it, `make test` checks it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
DATA ?= .runplane
LISTEN ?= 127.0.0.1:7070
export CARGO_TARGET_DIR ?= $(CURDIR)/target
BIN := $(CARGO_TARGET_DIR)/debug/runplane
RELEASE := $(CARGO_TARGET_DIR)/release/runplane

.PHONY: help run test pooler chaos check lint bench bench-web fuzz bless demo build sdk tools web

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s '	'

run: web ## build and start Runplane on the embedded database
	cargo build --release --quiet -p runplane
	$(RELEASE) dev --data $(DATA) --listen $(LISTEN)

build: tools
	cargo build --quiet -p runplane

tools:
	@scripts/require cargo node npm

test: web build sdk ## everything: Rust, SDK, published client, examples
	scripts/with-postgres cargo test --quiet --workspace
	RUNPLANE_TEST_STORE=postgres scripts/with-postgres cargo test --quiet -p runplane-server --test it -- $(ON_POSTGRES)
	cd web && npm test --silent
	@scripts/require chromium
	cd e2e && $(NPM_CI) && RUNPLANE_BIN=$(BIN) npm test --silent
	cd sdks/typescript && RUNPLANE_BIN=$(BIN) npm test --silent
	RUNPLANE_BIN=$(BIN) node --test contracts/wire-client/*.test.mjs
	cd examples/typescript && $(NPM_CI) && RUNPLANE_BIN=$(BIN) npm test --silent

# The same server tests on PostgreSQL: where nodes and state meet, and with RUNPLANE_FULL=1 every one.
ON_POSTGRES := $(if $(RUNPLANE_FULL),,agents:: containment:: epoch:: failures:: guard:: health:: limits:: settings:: workspaces::)

web: tools ## the dashboard, into web/dist, from where the binary embeds it
	cd web && $(NPM_CI) && npm run --silent build

pooler: ## the tests of the PostgreSQL store and of several nodes through PgBouncer in transaction mode
	@echo 'left out: notices, which need a session; behind a pooler nodes look for what is new'
	scripts/with-postgres scripts/with-pgbouncer cargo test --quiet -p runplane-store postgres -- \
	  --skip an_announcement_reaches_the_other_nodes
	scripts/with-postgres scripts/with-pgbouncer cargo test --quiet -p runplane-server --test it nodes::

chaos: ## ten minutes of killed nodes, database crashes and cut connections under 192 clients, then a check of every answer
	RUNPLANE_CHAOS_SECONDS=600 RUNPLANE_CHAOS_CLIENTS=192 cargo test --quiet -p runplane --test chaos -- --nocapture

NPM_CI := npm ci --no-audit --no-fund --silent

sdk: tools
	cd sdks/typescript && $(NPM_CI) && npm run --silent build

demo: build sdk ## the six example programs against a real server
	cd examples/typescript && $(NPM_CI) && RUNPLANE_BIN=$(BIN) npm run --silent demo

lint: ## formatting, clippy, dependency rules
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	scripts/links
	@scripts/require cargo-deny
	cargo deny check bans licenses sources

check: lint test ## lint and test

bench-web: web ## the dashboard over a million decisions and 1,000 events a second (ROWS=, RATE=)
	cargo build --release --quiet -p runplane
	cd e2e && $(NPM_CI) && RUNPLANE_BIN=$(RELEASE) node bench.mjs --rows $(or $(ROWS),1000000) --rate $(or $(RATE),1000) --json ../bench-web.json

bench: ## durable guard and decide, beside their floors
	cargo build --release --quiet -p runplane
	cargo run --release --quiet -p runplane-bench -- --runplane $(RELEASE) --cerbos "$$(bench/fetch-cerbos || true)" --json bench.json
	cargo run --release --quiet --manifest-path bench/peers/Cargo.toml -- --json bench.json

FUZZED := $(or $(TARGET),policy condition json sql url shell recipients file export note)
fuzz: ## the fuzz targets, 60 seconds each (SECONDS=, TARGET=); needs a nightly compiler and cargo-fuzz
	@scripts/require cargo-fuzz
	@cd fuzz && for target in $(FUZZED); do \
	  mkdir -p found/$$target && \
	  CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)/fuzz cargo +nightly fuzz run $$target found/$$target corpus/$$target -- \
	    -max_total_time=$(or $(SECONDS),60) -timeout=5 -max_len=4096 -verbosity=0 || exit 1; \
	done

bless: ## rewrite golden files (OpenAPI, CLI help) from the code
	RUNPLANE_BLESS=1 cargo test --quiet -p runplane-server -p runplane golden
