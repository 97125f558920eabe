# Every verb needs Go and make (test a C compiler too), and nothing before it. `make` lists them.

# One compile cache for everything that is built here: the functions are built
# with -trimpath, so the rest is too.
export GOFLAGS := -trimpath
# A custom CA bundle makes the AWS SDK refuse an http.Client of one's own.
unexport AWS_CA_BUNDLE
# PORT is the local cloud's port (4566), for local and demo. With PORT=4566, local-test deploys but once for embedded and container.
export PORT

# golangci-lint runs go vet's and staticcheck's analyses too (.golangci.yml).
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help build local demo test local-test clients image infra-test soak bench simulate lint fmt ci-full clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the functions' zips for AWS (linux/arm64), reproducible, in .build/lambda
	go run ./scripts/build

local: ## bring Fanfare up on this machine, print URL, tokens and wscat lines; Ctrl-C takes it down
	@echo "▸ compile make local itself (a minute the first time)"
	@go build -o .build/bin/local ./scripts/local
	@exec .build/bin/local

demo: ## deploy, connect two tenants' clients, broadcast, print what arrives, take it all down
	@echo "▸ compile make demo itself (a minute the first time)"
	@go build -o .build/bin/demo ./scripts/demo
	@exec .build/bin/demo

test: ## everything that passes on a fresh machine: no Docker, no account, no network but modules
	go test -race -timeout 20m ./...

# TARGET of local-test: embedded, container, compose or aws; without it, the first two. FRESH=1 deploys anew.
# CLIENTS=required has it fail, not skip, where a real client is not installed.
# For aws, KEY is the file of the private key of tokens that the stack admits, ISSUER and AUDIENCE theirs.
SUITE := go test -count=1 -v -timeout 15m ./localstack/suite $(if $(filter required,$(CLIENTS)),-require-clients)
local-test: ## the connect/broadcast suite on the local cloud, in process and, where Docker is, in its image (TARGET=aws: in AWS)
ifeq ($(TARGET),)
	$(SUITE) -target embedded $(if $(FRESH),-fresh)
	$(SUITE) -target container $(if $(FRESH),-fresh)
else
	$(SUITE) -target $(TARGET) $(if $(FRESH),-fresh) $(if $(KEY),-key "$(abspath $(KEY))") $(if $(ISSUER),-issuer "$(ISSUER)") $(if $(AUDIENCE),-audience "$(AUDIENCE)")
endif

clients: ## install the real clients that local-test drives: chromium and Python's websockets (Debian's, as root), wscat (npm's, into .build)
	@scripts/clients/install.sh

image: ## the local cloud's container image, fanfare-localstack, from nothing, for amd64 and arm64
	@go run ./scripts/image

infra-test: ## the Terraform modules: format, validation, mocked tests; the root applied to a local cloud, changed, mended, destroyed
	@go run ./scripts/infratest

soak: ## 1,000 clients that come, talk and vanish for a minute while things fail, with -race: nothing may be lost or left
	go test -race -count=1 -v -timeout 15m -run '^TestSoak$$' ./localstack/emulator -soak 1m -clients 1000

bench: ## the promised figures, measured now, beside their limits (a quarter of an hour)
	@go run ./scripts/bench

simulate: ## what broadcasts to 10 k to 3.6 M clients take within AWS, in time and dollars; CONNECTIONS=N for another number
	@go run ./scripts/simulate $(if $(CONNECTIONS),-connections $(CONNECTIONS))

lint: ## gofmt, go vet, staticcheck, golangci-lint, terraform fmt
	@test -z "$$(gofmt -l functions infra localstack scripts shared)" || { gofmt -l functions infra localstack scripts shared; echo "make fmt mends these"; exit 1; }
	go run $(GOLANGCI_LINT) run ./...
	@if command -v "$${TERRAFORM:-terraform}" > /dev/null; then "$${TERRAFORM:-terraform}" fmt -check -recursive infra; \
	else echo "terraform fmt was not checked: there is no Terraform"; fi

fmt: ## format Go and Terraform, write the modules' READMEs
	gofmt -w functions infra localstack scripts shared
	@if command -v "$${TERRAFORM:-terraform}" > /dev/null; then "$${TERRAFORM:-terraform}" fmt -recursive infra; fi
	go run ./scripts/infradocs

ci-full: ## what CI runs, then the suite in the image with a fresh deployment and in Compose, the images, the soak (half an hour)
	.ci/run
	.ci/full

clean: ## remove what was built and deployed locally
	rm -rf .build .local
