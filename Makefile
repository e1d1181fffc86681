# The few commands a person types. Each says what it does and fails with a sentence that says what to do.
#
#   make run     build the client and the server, start a planet in ./data, print its URL
#   make test    everything that CI runs: format, lints, Rust and client tests, both databases, two browsers
#   make check   the quick part of it: format, lints, docs, licences
#   make bench   the measurements of docs/benchmarks.md
#   make dist    one static file per architecture that is a whole planet (ARCH="x86_64" for one)
#
# ARGS="…" is passed on to `terrane serve`: make run ARGS="--listen 127.0.0.1:9000 --seed 7"

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test check bench dist fmt client checks-wasm setup-run setup-test lint docs rust-test client-test browser-test

SAY = @printf '\033[1m==> %s\033[0m\n'

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

run: setup-run client
	$(SAY) "building the server (release)"
	@cargo build --release --locked -p terrane
	$(SAY) "starting a planet in ./data (stop it with Ctrl-C)"
	@exec target/release/terrane serve --data data $(ARGS)

test: setup-test check rust-test client-test browser-test
	$(SAY) "all tests passed"

check: setup-run lint docs

setup-run:
	@scripts/setup run

setup-test:
	@scripts/setup test

# ---- the client

checks-wasm:
	$(SAY) "building the WebAssembly core with what tests compare"
	@cd web && node scripts/wasm.mjs --checks

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	$(SAY) "installing the client's packages"
# Not `npm ci`: it refuses a lock file without the optional packages of other platforms, which some mirrors lack.
# Versions are exact and checked against the lock file all the same.
	@cd web && npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

client: web/node_modules/.package-lock.json
	$(SAY) "building the client and its WebAssembly core"
	@cd web && npm run --silent build

# ---- checks

lint:
	$(SAY) "format"
	@cargo fmt --all --check || { echo "run 'make fmt' and look at the difference" >&2; exit 1; }
	$(SAY) "lints"
	@cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

fmt:
	@cargo fmt --all
	@cd web && npm run --silent format

docs: web/node_modules/.package-lock.json
	$(SAY) "paths named in the documents; dependencies and their licences"
	@cargo run --quiet --locked -p xtask -- docs
	@cargo run --quiet --locked -p xtask -- licences

rust-test: client checks-wasm
	$(SAY) "Rust tests, stores on SQLite and PostgreSQL"
	@TERRANE_TEST_GDAL_REQUIRED=1 TERRANE_TEST_NODE_REQUIRED=1 scripts/with-postgres cargo test --workspace --locked --quiet
	$(SAY) "the same planet in WebAssembly"
	@node crates/browser/tests/golden.mjs

client-test: client checks-wasm
	$(SAY) "client: types, lints, generated code, the document of the interface, unit tests"
	@cd web && npm run --silent check && npm run --silent lint && npm run --silent gen:check && npm run --silent api:lint && npm test --silent

browser-test: client
	$(SAY) "two browsers on one planet"
	@cargo build --locked --quiet -p terrane
	@cd web && TERRANE_BIN=$(CURDIR)/target/debug/terrane npm run --silent e2e

# ---- measuring and shipping

bench: setup-run client
	$(SAY) "building (release)"
	@cargo build --release --locked -p terrane
	@bench/run

dist: setup-run client
	@scripts/dist $(ARCH)
