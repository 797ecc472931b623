# Tributary. make help lists the targets; Go is all they need, and the first
# build fetches modules. What a target does is in .ci/task.

.DEFAULT_GOAL := help

# Input of demo and up, and the process that demo kills in the middle: stats,
# relay or profile. Addresses and AWS endpoints are given in the same way, as in
# make demo PROFILE_ADDR=127.0.0.1:18081: they reach the programs through the
# environment.
PROFILES ?= examples/sp500/profile-changes.jsonl
STATISTICS ?= examples/sp500/statistics.jsonl
KILL ?=

# What soak runs: so many seeds, from this one.
SEEDS ?= 20000
BASE ?= 1

# How long make fuzz spends on each target.
FUZZTIME ?= 10s

# How often crash kills one of the processes, and the seed of its plan.
KILLS ?= 50
CRASH_SEED ?= 1

# The architectures of package's images, and the registry and prefix that they
# are pushed to, if any: PUSH=000000000000.dkr.ecr.eu-west-1.amazonaws.com/tributary.
ARCH ?= arm64
PUSH ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## build the binaries into bin/
	@sh .ci/task build

.PHONY: demo
demo: ## play the real data through the running services, compare every copy, mend a damaged one
	@sh .ci/task demo run -profiles '$(PROFILES)' -statistics '$(STATISTICS)' -kill '$(KILL)'

.PHONY: up
up: ## start the system with the initial load and leave it running until Ctrl-C
	@sh .ci/task demo up -profiles '$(PROFILES)' -statistics '$(STATISTICS)'

.PHONY: bench
bench: ## measure against stock watermill-aws and a bare SDK loop, into bench/results.json
	@sh .ci/task bench -out bench/results.json

.PHONY: bench-profile
bench-profile: ## profile Tributary and the bare loop, into bin/profiles
	@sh .ci/task bench-profile

.PHONY: test
test: ## run every module's tests, with the race detector where there is a C compiler
	@sh .ci/task test

.PHONY: conformance
conformance: ## hold localaws against AWS's DynamoDB Local and moto; says what it could not run
	@sh .ci/task conformance

.PHONY: crash
crash: ## kill the services 50 times over a bad network and look for what was lost
	@sh .ci/task crash -kills '$(KILLS)' -seed '$(CRASH_SEED)'

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (10s), one after the other
	@FUZZTIME='$(FUZZTIME)' sh .ci/task fuzz

.PHONY: soak
soak: ## simulate SEEDS plans of faults from seed BASE on, and say how many ran and failed
	@sh .ci/task soak -seeds '$(SEEDS)' -base '$(BASE)'

.PHONY: mutants
mutants: ## break the library in each known way and have the simulator catch it
	@sh .ci/task mutants

.PHONY: lint
lint: ## check formatting, vet, staticcheck, sizes and error texts
	@sh .ci/task lint

.PHONY: standalone
standalone: ## build and vet each module alone, without the workspace
	@sh .ci/task standalone

.PHONY: package
package: ## build Lambda zips and OCI images into bin/package, and push to PUSH
	@sh .ci/task package -arch '$(ARCH)' -push '$(PUSH)'

.PHONY: package-check
package-check: ## compile the services twice, compare every byte, start each in its image
	@sh .ci/task package-check

.PHONY: terraform
terraform: ## test and scan the Terraform modules and roots, and apply the roots in moto's account
	@sh .ci/task terraform

.PHONY: fmt
fmt: ## format the Go files
	@sh .ci/task fmt

.PHONY: generate
generate: ## generate what is generated from the Go types
	@sh .ci/task generate

.PHONY: clean
clean: ## remove what the other targets leave behind
	rm -rf bin .demo
