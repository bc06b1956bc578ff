# AoVườn. `make` lists what there is to do. Everything is built into .bin/, everything that runs keeps its data in .run/.

GO        ?= go
BIN       := $(CURDIR)/.bin
DATA      ?= .run
# Tools are pinned here and run by `go run`, so that go.mod holds what the product needs and nothing else.
LINT      := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VULN      := golang.org/x/vuln/cmd/govulncheck@v1.9.0
SBOM      := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
INFLUXD   := github.com/influxdata/influxdb/cmd/influxd@v1.8.10
PROGRAMS  := server gateway firmware-sim
FUZZTIME  ?= 30s
# How many workers fuzz (1 leaves the rest of the machine alone), and which targets: a pattern of `package target`, all if empty.
FUZZWORKERS ?= $(shell nproc)
FUZZ      ?=

export AOVUON_BIN := $(BIN)
# As it is handed out: static, without a C library. Whatever builds or tests shares its cache.
export CGO_ENABLED := 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## the whole product on this machine: server, simulated field, real gateways, a season of history
	@exec $(BIN)/firmware-sim demo --dir $(DATA) --server $(BIN)/server --gateway $(BIN)/gateway $(ARGS)

.PHONY: run-influx
run-influx: build influxd ## the same with the history in a real InfluxDB
	@exec $(BIN)/firmware-sim demo --dir $(DATA)-influx --server $(BIN)/server --gateway $(BIN)/gateway \
		--history influx --influxd $(BIN)/influxd $(ARGS)

.PHONY: build
build: ## build the three programs into .bin/
	@mkdir -p $(BIN)
	$(GO) build -o $(BIN)/ $(addprefix ./,$(PROGRAMS))

.PHONY: influxd
influxd: $(BIN)/influxd ## build InfluxDB 1.8.10 into .bin/ (about a minute, once)
$(BIN)/influxd:
	@mkdir -p $(BIN)
	GOBIN=$(BIN) GOFLAGS= $(GO) install $(INFLUXD)

.PHONY: parts
parts: influxd ## install or build what the tests need (apt-get when root; otherwise what is there is used)
	@.ci/parts

.PHONY: test
test: parts build ## every test, on real parts; what is missing is skipped aloud (AOVUON_REQUIRE=all: fails)
	$(GO) test -timeout 40m $(TESTFLAGS) ./firmware-sim/story ./server/web ./server/app ./... # the longest first, the others beside them

# Tests that are about SQL run on both databases anyway; these need one, which is SQLite unless somebody says otherwise.
PGTESTS ?= ./server/...
.PHONY: test-postgres
test-postgres: parts build ## the server's tests that need one database, on PostgreSQL instead of SQLite (PGTESTS: packages)
	AOVUON_TEST_DB=postgres $(GO) test -timeout 40m $(TESTFLAGS) $(PGTESTS)

.PHONY: race
race: ## the unit tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short -timeout 40m ./...

.PHONY: cover
cover: ## test coverage, a line a package, and .run/cover.html
	@mkdir -p $(DATA)
	$(GO) test -short -coverprofile=$(DATA)/cover.out ./...
	$(GO) tool cover -html=$(DATA)/cover.out -o $(DATA)/cover.html

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s; the record asks for 10m) on FUZZWORKERS; FUZZ='web|Claim' picks some; figures into .run/fuzz.txt
	@FUZZTIME=$(FUZZTIME) FUZZWORKERS=$(FUZZWORKERS) FUZZ='$(FUZZ)' FUZZRECORD=$(DATA)/fuzz.txt GO=$(GO) .ci/fuzz

.PHONY: bench
bench: influxd ## figures: signed batches verified, committed and in history, on both histories
	@echo "machine: $$(uname -sm), $$(nproc) cores, $$(awk -F': ' '/model name/ {print $$2; exit}' /proc/cpuinfo), $$($(GO) env GOVERSION)"
	$(GO) test -run '^$$' -bench . -benchmem -timeout 40m ./gateway/wire ./gateway/spool ./gateway/sense/... ./gateway/uplink ./server/history/... ./server/app ./firmware-sim/story

.PHONY: lint
lint: ## formatting, the import law and the house rules; go.mod tidy
	$(GO) run $(LINT) run ./...
	$(GO) run $(LINT) fmt --diff ./...
	$(GO) mod tidy -diff

.PHONY: vuln
vuln: ## known vulnerabilities in what we import, and in what the browser tests use (needs the network)
	$(GO) run $(VULN) ./...
	npm audit --package-lock-only

.PHONY: sbom
sbom: build ## what is in the programs: a CycloneDX JSON file beside each in .bin/
	@for p in $(PROGRAMS); do \
		$(GO) run $(SBOM) bin -json -std -version "$$(git rev-parse --short HEAD)" -output $(BIN)/$$p.cdx.json $(BIN)/$$p || exit 1; \
		echo "$(BIN)/$$p.cdx.json: $$(grep -c '"bom-ref"' $(BIN)/$$p.cdx.json) components"; \
	done

.PHONY: pi
pi: ## the gateway for Raspberry Pi: .bin/arm64/gateway, .bin/armv6/gateway; started under qemu where it is
	GOOS=linux GOARCH=arm64 $(GO) build -trimpath -ldflags "-s -w" -o $(BIN)/arm64/ ./gateway
	GOOS=linux GOARCH=arm GOARM=6 $(GO) build -trimpath -ldflags "-s -w" -o $(BIN)/armv6/ ./gateway
	@.ci/pi
	GOOS=linux GOARCH=arm GOARM=6 $(GO) build -trimpath -o /dev/null ./server # an int has 32 bits there

.PHONY: dist
dist: ## what is handed out: .deb and static binaries of gateway and server for amd64, arm64, armhf, bills of materials, checksums, into .bin/dist
	@GO=$(GO) .ci/dist

# Root is needed for what mounts a disk; what is missing is skipped aloud. TORTURE=all has no bound of time.
TORTURE ?= 1
.PHONY: torture
torture: parts build torture-server ## every fault, for longer: writes, lengths, bits, power cuts, bad links, forgers (TORTURE=all: all of it)
	AOVUON_TORTURE=$(TORTURE) $(GO) test -count=1 -v -timeout 12h -run 'Torture|Survives|Telegraf|Paho|Thirty|FullDisk|ReadOnly|Thin|TwoSlices' \
		./gateway/spool ./gateway/seal ./gateway/uplink ./gateway/app
	AOVUON_TORTURE=$(TORTURE) $(GO) test -count=1 -v -timeout 12h -run 'Clock|Storm|Outage' ./firmware-sim/story

.PHONY: torture-server
torture-server: ## the server's faults: power cuts, disk errors, kill -9, forged rows, days and proofs, a full log, attacks on the broker (server/README.md)
	AOVUON_TORTURE=$(TORTURE) $(GO) test -count=1 -v -timeout 12h -run 'Torture|Kill|Erasure|Erase|InNothing' ./server/sqldb
	AOVUON_TORTURE=$(TORTURE) $(GO) test -count=1 -v -timeout 12h ./server/audit ./server/witness ./server/ledger ./server/broker ./server/backup
	$(GO) test -count=1 -v -timeout 1h -run 'FullDisk|ReadOnly' ./server/app
	$(GO) test -run '^$$' -bench BenchmarkLedger_Enter -benchtime 10s ./server/sqldb

.PHONY: bench-gateway
bench-gateway: ## figures: memory, processor, first reading and spool of a gateway with 30 channels (three minutes)
	@echo "machine: $$(uname -sm), $$(nproc) cores, $$(awk -F': ' '/model name/ {print $$2; exit}' /proc/cpuinfo), $$($(GO) env GOVERSION)"
	$(GO) test -run '^$$' -bench BenchmarkGateway -benchtime 1x -timeout 20m ./firmware-sim/story
	AOVUON_TORTURE=1 $(GO) test -count=1 -v -run ThirtyDays ./gateway/seal

.PHONY: clean
clean: ## remove what was built and the demo's data
	rm -rf .bin .run .run-influx node_modules
