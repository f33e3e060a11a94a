# The front door. `make` alone says what there is.

CARGO ?= cargo
DATA ?= ../shared/data/orin-agx
OUT ?= target/evaluation
# Problems of each workload or pair that `make evaluate` draws, or `all`: for what is cheap to run,
# and for what is costly.
SAMPLE ?= all
COSTLY_SAMPLE ?= 150
# Every so many-th problem of a pair is run in virtual time.
EVERY ?= 40
RANDOM := random-10,random-15,random-50,random-150,random-250
CHEAP := gmd,als,optimum,maxn,presets,coordinate-descent,binary-search,$(RANDOM)
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)
DENY := $(shell $(CARGO) deny --version >/dev/null 2>&1 && echo yes)
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
FULCRUM := $(TARGET_DIR)/release/fulcrum

.DEFAULT_GOAL := help
.PHONY: draw-dashboards documents test-documents advisories bench-edge test-dashboards deb test-deb test-containers package-lint check-proto bench-fleet test-e2e bench-agent bench-interleave build-workloads test-python test-faults help cargo build demo test check evaluate bench agent-arm64 test-arm64 check-unit clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

cargo:
	@command -v $(CARGO) >/dev/null 2>&1 || { \
	  echo "cargo was not found; install a Rust toolchain from https://rustup.rs and try again" >&2; exit 1; }

build: cargo ## Build the command, the agent, the optimizer and the scheduler
	$(CARGO) build --release --locked -p fulcrum -p fulcrum-agent -p fulcrum-optimizer -p fulcrum-scheduler

build-workloads: cargo ## Build the real training and inference program, which takes minutes
	$(CARGO) build --release --locked -p fulcrum-workloads

demo: build ## Show the main job on three simulated boards, in seconds
	$(FULCRUM) demo

test: cargo ## Run all tests
	@tests/install-postgres.sh
	@tests/install-faketime.sh
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --workspace --locked
	$(CARGO) test --workspace --locked --doc
else
	$(CARGO) test --workspace --locked
endif
	@[ -d ../shared/data ] || echo "left out: what needs the measured tables, which are not at ../shared/data" >&2

check: cargo ## Check formatting, lints, documentation and dependencies
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked
ifeq ($(DENY),yes)
	$(CARGO) deny check bans licenses sources
else
	@echo "cargo-deny is not installed: licences, bans and sources were not checked"
endif

advisories: cargo ## Look for known holes in dependencies, where the list of them can be reached
	@CARGO=$(CARGO) tests/advisories.sh

evaluate: build ## Score all searches on the measured tables of the AGX Orin, beside the targets
	@if [ ! -d "$(DATA)" ]; then \
	  echo "left out: the measured tables are not at $(DATA)" >&2; \
	  [ "$$CI" != true ] || exit 1; \
	else \
	  set -e; mkdir -p "$(OUT)"; \
	  run() { name=$$1; count=$$2; shift 2; \
	    echo; echo "== $$name (problems of each workload or pair: $$count): $$*"; \
	    [ "$$count" = all ] || set -- "$$@" --sample "$$count"; \
	    started=$$(date +%s); \
	    $(FULCRUM) evaluate --profiles "$(DATA)" "$$@" --results "$(OUT)/$$name.csv" \
	      --summary "$(OUT)/$$name.summary.csv" --report "$(OUT)/$$name.html"; \
	    echo $$(($$(date +%s) - started)) > "$(OUT)/$$name.seconds"; }; \
	  run whole $(SAMPLE) --modes 15 --strategy $(CHEAP); \
	  run sampled $(COSTLY_SAMPLE) --modes 15 --strategy guided,gmd,cbo,nn-250,maxn; \
	  run eight-modes $(COSTLY_SAMPLE) --modes 8 --strategy guided; \
	  run noisy $(COSTLY_SAMPLE) --modes 15 --strategy guided --noise 0.02; \
	  run slack-aware $(COSTLY_SAMPLE) --modes 15 --strategy guided --alternate slack-aware; \
	  echo; echo "== turns, in virtual time"; \
	  $(FULCRUM) evaluate-turns --profiles "$(DATA)" --every $(EVERY) \
	    --summary "$(OUT)/turns.summary.csv"; \
	  echo; echo "== what was to be reached"; \
	  awk -F, -v folder="$(OUT)" -f crates/evaluate/targets.awk crates/evaluate/targets.csv; \
	  echo; echo "results, summaries and reports: $(OUT)"; \
	fi

test-e2e: cargo ## Run a fleet's suite alone: separate processes, a real Postgres, faults
	@tests/install-postgres.sh
	@tests/install-faketime.sh
	$(CARGO) build --locked --workspace --all-targets
	$(CARGO) test --locked --workspace --test fleet --test secured

test-python: cargo ## Run the tests of the Python package, and of a client in Python
	$(CARGO) build --locked --workspace --all-targets
	tests/python.sh $(TARGET_DIR)/debug

documents: cargo ## Write docs/metrics.md and docs/reference from the code
	FULCRUM_WRITE_DOCUMENTS=1 $(CARGO) test --locked --workspace --bin fulcrum --test command document

test-documents: cargo ## Run what the documents say, each step as printed
	$(CARGO) build --locked --workspace --all-targets
	tests/documents.sh $(TARGET_DIR)/debug

test-dashboards: cargo ## Run the dashboards' queries and the alerts on a fleet that a real Prometheus scrapes
	$(CARGO) build --locked --workspace --all-targets
	tests/dashboards.sh $(TARGET_DIR)/debug

draw-dashboards: cargo ## Draw the dashboards of a live fleet as pictures into target/dashboards/pictures
	$(CARGO) build --locked --workspace --all-targets
	tests/dashboards.sh $(TARGET_DIR)/debug $(TARGET_DIR)/dashboards/pictures

check-proto: ## Lint the protocol, and look for what would break clients
	@tests/proto.sh

test-faults: cargo ## Run the suites that break things on purpose: kernels, leases, killed agents
	$(CARGO) test --locked -p fulcrum-board --test jetson_faults --test jetson_misbehaviours
	$(CARGO) test --locked -p fulcrum-fake-jetson
	$(CARGO) test --locked -p fulcrum-agent --test agent

bench-agent: build ## Measure what the agent costs: processor, memory, size, a sample
	tests/agent-cost.sh $(TARGET_DIR)/release/fulcrum-agent
	$(CARGO) bench --locked -p fulcrum-board --bench sample_orin

bench-interleave: build build-workloads ## Compare turns with what the operating system does, on real programs
	$(CARGO) build --release --locked -p fulcrum-worker --examples
	tests/interleave-bench.sh $(TARGET_DIR)/release
	$(TARGET_DIR)/release/examples/turn_cost $(TARGET_DIR)/release/fulcrum-agent

bench-fleet: cargo ## Measure how a fleet grows: 100, 1,000 and 5,000 boards, profiles, fronts
	@tests/install-postgres.sh
	$(CARGO) build --release --locked -p fulcrum-optimizer -p fulcrum-scheduler
	$(CARGO) bench --locked -p fulcrum-end-to-end --bench fleet

bench-edge: cargo ## Measure what the edge bears: 10,000 calls of strangers, 1,100 idle and slow connections
	$(CARGO) build --release --locked -p fulcrum -p fulcrum-scheduler
	$(CARGO) bench --locked -p fulcrum-end-to-end --bench edge

bench: cargo ## Measure the speed of the searches and the readers
	$(CARGO) bench --workspace --locked

agent-arm64: cargo ## Build the agent for a Jetson, a static binary
	CARGO=$(CARGO) tests/arm64.sh build

test-arm64: cargo ## Build the agent for a Jetson and start it under emulation
	CARGO=$(CARGO) tests/arm64.sh

deb: cargo ## Build the Debian packages for amd64 and arm64
	CARGO=$(CARGO) deploy/debian/build.sh

test-deb: ## Install, run, upgrade and remove the Debian packages in a clean root (needs make deb)
	tests/deb.sh

test-containers: ## Start the fleet of deploy/compose.yaml (needs make deb)
	tests/containers.sh

package-lint: ## Lint units, Debian packages, container files, Compose and Kubernetes manifests
	@tests/package-lint.sh

check-unit: ## Check the systemd units and how much they are locked in
	@deploy/systemd/check.sh

clean: cargo ## Remove everything that was built
	$(CARGO) clean
