# Annal's commands; `make` alone lists them. What they need and do not find they install, or name the line to type.

.DEFAULT_GOAL := help
.PHONY: help run demo check test soak lint fmt schema changes bench stop-tests

target = $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
annal = $(target)/release/annal

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

run: ## Build and start Annal with a PostgreSQL of its own
	@exec scripts/run

demo: ## Fill the running Annal with demo data
	@$(annal) demo

check: ## Quick loop: format, clippy, unit tests
	@scripts/check

test: ## Everything CI checks
	@scripts/test

soak: ## The long version of the attacks
	@scripts/test soak

lint: ## Format check and clippy, warnings are errors
	@scripts/lint

fmt: ## Format all code
	cargo fmt --all

schema: ## Write schema.graphql anew
	cargo build -p api --bin annal
	@$(target)/debug/annal schema > schema.graphql.new && mv schema.graphql.new schema.graphql

changes: ## Show what changed in the GraphQL schema since the last release
	@node api/tests/clients/schema/changes.mjs docs/schema/released.graphql schema.graphql CHANGELOG.md

bench: ## Measure throughput and latency
	cargo bench -p eventlog --bench append
	cargo bench -p projections --bench rebuild
	cargo bench -p projections --bench group
	cargo bench -p api --bench delivery

stop-tests: ## Stop and remove the test cluster that single test runs leave running
	@scripts/stop-test-postgres
