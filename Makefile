# Each target is one command that works on a fresh clone; "make help" lists them.

# A pipe fails if any part of it does.
SHELL       := bash
.SHELLFLAGS := -o pipefail -c

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
ACTIONLINT  := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
MODULES     := . test/e2e test/e2e/servers/zitadel test/demo
# Modules that only name the programs that are built of them.
PROGRAMS    := test/e2e/servers/dex test/e2e/servers/etcd test/e2e/servers/krew test/e2e/servers/kubernetes test/release/cyclonedx-gomod test/release/go-licenses test/release/goreleaser
# A count, not a time: with a time, go test now and then reports its own deadline as a failure (go.dev/issue/75804).
FUZZTIME    ?= 20000x

# The program does not speak HTTP/2, which is a twentieth of it otherwise.
TAGS := nethttpomithttp2

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/kubectl-oidc_login
	CGO_ENABLED=0 go build -trimpath -tags=$(TAGS) -buildvcs=auto -ldflags="-s -w" -o bin/kubectl-oidc_login ./cmd/kubectl-oidc_login

.PHONY: check
check: ## The quick loop: everything that needs no server
	go vet ./...
	go test ./...

.PHONY: lint
lint: ## gofmt, go vet, staticcheck, modules, licences and workflows; the tests compile for the other systems
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "run gofmt on:"; echo "$$unformatted"; exit 1; fi
	@for module in $(MODULES); do \
		echo "lint $$module" && (cd $$module && go vet ./... && go mod tidy -diff && go mod verify && go run $(STATICCHECK) ./...) || exit 1; \
	done
	@for module in $(PROGRAMS); do echo "verify $$module" && (cd $$module && go mod verify) || exit 1; done
	@for system in windows darwin freebsd; do \
		echo "lint for $$system" && GOOS=$$system go vet ./... && GOOS=$$system go test -exec=/bin/true ./... > /dev/null || exit 1; \
	done
	test/release/licenses > /dev/null
	go run $(ACTIONLINT)

.PHONY: test
test: ## Run everything, from unit tests to real servers; installs or builds what that needs
	test/install-packages
	$(MAKE) --no-print-directory conformance
	$(MAKE) --no-print-directory snapshot krew
	servers=$$(test/e2e/servers/build) && cd test/demo && PATH="$$servers:$$PATH" go test -count=1 -timeout 10m ./... # the go command does not see that they build the product
	cd test/e2e && go test -count=1 -timeout 30m ./...

.PHONY: conformance
conformance: ## Run the tests that need no server; writes docs/conformance.md, which says what they prove
	go test -race -timeout 15m -json ./... | go run ./test/conformance -write docs/conformance.md

# goreleaser reads no commit where git names no remote, as in a copy of the repository.
WITH_REMOTE := number=$${GIT_CONFIG_COUNT:-0} && env GIT_CONFIG_COUNT=$$((number + 1)) \
	GIT_CONFIG_KEY_$$number=remote.origin.url \
	GIT_CONFIG_VALUE_$$number=https://github.com/kubectl-oidc-login/kubectl-oidc-login.git

# What our Homebrew tap and our Scoop bucket get; "make krew" writes what our index gets.
WRITE_PACKAGES = mkdir -p dist/homebrew-tap/Formula && cp -R dist/scoop dist/scoop-bucket && \
	go run ./test/release/render dist test/release/homebrew.rb > dist/homebrew-tap/Formula/kubectl-oidc-login.rb

# Of what a release has, a snapshot leaves out what needs a service: a Docker engine, and an identity that signs.
.PHONY: snapshot
snapshot: GORELEASER_FLAGS = --snapshot --skip=docker,sign
snapshot: release-files ## Build into dist all that a release has, and that needs no service
	$(WRITE_PACKAGES)

.PHONY: release
release: release-files # of the tag that is checked out; for the release workflow alone
	$(WRITE_PACKAGES)

.PHONY: release-files
release-files:
	goreleaser=$$(test/cached-build test/release/goreleaser goreleaser github.com/goreleaser/goreleaser/v2) && \
	$(WITH_REMOTE) "$$goreleaser" release --clean $(GORELEASER_FLAGS)

.PHONY: krew
krew: ## Write dist/krew-index, a custom index of krew, with the checksums of what is in dist
	mkdir -p dist/krew-index/plugins
	go run ./test/release/render dist krew-manifest.yaml > dist/krew-index/plugins/oidc-login.yaml

.PHONY: docs
docs: ## Write docs/reference: what each command says of itself
	go run ./test/reference

.PHONY: vulncheck
vulncheck: ## Ask Go's database, which needs a network, for known weaknesses of what is used
	go run $(GOVULNCHECK) ./...

.PHONY: fuzz
fuzz: ## Run each fuzz target for some seconds, or for FUZZTIME (60s, 100000x)
	@packages=$$(go list ./...) || exit 1; \
	for package in $$packages; do \
		targets=$$(go test -list '^Fuzz' $$package) || exit 1; \
		for target in $$(echo "$$targets" | grep '^Fuzz'); do \
			echo "fuzz $$package $$target" && \
				go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $$package || exit 1; \
		done; \
	done

# Without inlining the compiler is a third faster, which is what a first run is made of. The product is built the same
# way here, so that the two share what they have in common.
.PHONY: demo
demo: ## Log in to a cluster that exists for a minute
	cd test/demo && CGO_ENABLED=0 GOFLAGS="-buildvcs=false -gcflags=all=-l" go run .

.PHONY: bench
bench: ## Measure what calls cost, against a program that reads and prints a file; writes docs/performance.md
	go run ./test/bench -write docs/performance.md
