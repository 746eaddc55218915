# Runplane: `make run` starts it, `make test` checks it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
DATA ?= .runplane
LISTEN ?= 127.0.0.1:7070
export CARGO_TARGET_DIR ?= $(CURDIR)/target
BIN := $(CARGO_TARGET_DIR)/debug/runplane
RELEASE := $(CARGO_TARGET_DIR)/release/runplane

.PHONY: help run test pooler chaos large check check-deploy check-image lint bench bench-web fuzz bless demo build sdk tools web

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s '	'

run: web ## build and start Runplane on the embedded database
	cargo build --release --quiet --workspace --bin runplane
	$(RELEASE) dev --data $(DATA) --listen $(LISTEN)

build: tools
	cargo build --quiet --workspace --bin runplane

tools:
	@scripts/require cargo node npm

test: web build sdk ## everything: Rust, SDK, published client, examples
	scripts/with-postgres $(CARGO_TEST)
	@echo 'the server on PostgreSQL: $(if $(ON_POSTGRES),where nodes and state meet; all of it with RUNPLANE_FULL=1,all of it)'
	RUNPLANE_TEST_STORE=postgres scripts/with-postgres $(CARGO_TEST) --test server -- $(ON_POSTGRES)
	RUNPLANE_TEST_STORE=postgres scripts/with-postgres $(CARGO_TEST) --test cli -- $(CLI_ON_POSTGRES)
	cd web && npm test --silent
	@scripts/require chromium
	cd e2e && $(NPM_CI) && RUNPLANE_BIN=$(BIN) npm test --silent
	cd sdks/typescript && RUNPLANE_BIN=$(BIN) npm test --silent
	RUNPLANE_BIN=$(BIN) node --test contracts/wire-client/*.test.mjs
	cd examples/typescript && $(NPM_CI) && RUNPLANE_BIN=$(BIN) npm test --silent

# The same server tests on PostgreSQL: where nodes and state meet, and with RUNPLANE_FULL=1 every one.
ON_POSTGRES := $(if $(RUNPLANE_FULL),,agents:: containment:: epoch:: failures:: guard:: health:: limits:: settings:: workspaces::)
# The same tests of the binary, those that look at what a database keeps.
CLI_ON_POSTGRES := audit:: exit_codes:: manage:: observe:: receipt:: round_trip::

web: tools ## the dashboard, into web/dist, from where the binary embeds it
	cd web && $(NPM_CI) && npm run --silent build

pooler: ## the tests of the PostgreSQL store and of several nodes through PgBouncer in transaction mode
	@echo 'left out: notices, which need a session (behind a pooler nodes look for what is new), and a role set at connecting'
	scripts/with-postgres scripts/with-pgbouncer $(CARGO_TEST) --lib postgres:: -- \
	  --skip an_announcement_reaches_the_other_nodes --skip a_node_needs_no_right_to_make_tables
	scripts/with-postgres scripts/with-pgbouncer $(CARGO_TEST) --test server nodes::

chaos: ## ten minutes of killed nodes, database crashes and cut connections under 192 clients, then a check of every answer
	RUNPLANE_CHAOS_SECONDS=600 RUNPLANE_CHAOS_CLIENTS=192 cargo test --quiet --workspace --test chaos -- --nocapture nothing_that

large: ## a million entries copied to PostgreSQL through a kill, verified, and brought up to date there; some minutes (ENTRIES=)
	RUNPLANE_ENTRIES=$(or $(ENTRIES),1000000) scripts/with-postgres cargo test --release --quiet --workspace --test cli large:: -- --nocapture

# Building included; a test that hangs fails, and what ran for over a minute has been named by then.
CARGO_TEST := timeout --verbose 45m cargo test --quiet --workspace

NPM_CI := npm ci --no-audit --no-fund --silent

sdk: tools
	cd sdks/typescript && $(NPM_CI) && npm run --silent build

demo: build sdk ## the six example programs against a real server
	cd examples/typescript && $(NPM_CI) && RUNPLANE_BIN=$(BIN) npm run --silent demo

check-deploy: ## deploy/ by the programs its files are for: hadolint, Helm, Kubernetes' and Compose's schemas, Caddy, systemd
	scripts/check-deploy

check-image: ## what the Dockerfile builds, without Docker: builds it, starts it in a root of its own (needs root)
	scripts/check-image

lint: ## formatting, clippy, dependency rules
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	scripts/links
	@scripts/require cargo-deny
	cargo deny check bans licenses sources

check: lint test ## lint and test

bench-web: web sdk ## the dashboard over a million decisions and 1,000 events a second (ROWS=, RATE=)
	cargo build --release --quiet --workspace --bin runplane
	cd e2e && $(NPM_CI) && RUNPLANE_BIN=$(RELEASE) node bench.mjs --rows $(or $(ROWS),1000000) --rate $(or $(RATE),1000) --json ../bench-web.json

bench: ## durable guard and decide, on SQLite and PostgreSQL, beside their floors
	cargo build --release --quiet --workspace --bin runplane --bin runplane-bench
	scripts/with-postgres --private . $(CARGO_TARGET_DIR)/release/runplane-bench --runplane $(RELEASE) --cerbos "$$(bench/fetch-cerbos || true)" --json bench.json
	cargo run --release --quiet --manifest-path bench/peers/Cargo.toml -- --json bench.json

FUZZED := $(or $(TARGET),policy condition json sql url shell recipients file export note request snapshot commit)
fuzz: ## the fuzz targets, 60 seconds each (SECONDS=, TARGET=); needs a nightly compiler and cargo-fuzz
	@scripts/require cargo-fuzz
	@cd fuzz && for target in $(FUZZED); do \
	  mkdir -p found/$$target && \
	  CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)/fuzz cargo +nightly fuzz run $$target found/$$target corpus/$$target -- \
	    -max_total_time=$(or $(SECONDS),60) -timeout=5 -max_len=4096 -verbosity=0 || exit 1; \
	done

bless: ## rewrite golden files (OpenAPI, CLI help) from the code
	RUNPLANE_BLESS=1 cargo test --quiet -p runplane-server -p runplane golden
