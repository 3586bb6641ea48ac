# Tools that the checks run, pinned.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GO          ?= go
FUZZTIME    ?= 30s
DATA        ?= $(SPIKINGIR_DATA)
PEERS       ?=
OUT         ?=
THREADS     ?= 2
LIMIT       ?= 8m
BIN         := bin/spikingir
LAB         := bin/spikingir-lab

.PHONY: build lab demo test check bench fixtures fuzz cross results update generate format race purego fused clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/spikingir

# What measures the project itself.
lab:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(LAB) ./cmd/spikingir-lab

# Converts the embedded networks, runs and measures them; leaves demo/.
demo: build
	$(BIN) demo -o demo

test:
	$(GO) test ./...

# What CI runs after the tests.
check: format vet race purego fused cross generate update tree

.PHONY: vet tree
format:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt on these'; exit 1; }

vet:
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# Every program that the detector watches sleeps for a second at its end, unless told not to.
race:
	GORACE=atexit_sleep_ms=0 $(GO) test -race -short ./...

purego:
	$(GO) test -tags purego -short ./...

# No fused float32 multiply-add may slip into code whose bits are promised. (The
# float64 ones of the emulated FMA take an exact product: fused or not, same bits.)
fused:
	@n=$$(CGO_ENABLED=0 GOARCH=arm64 $(GO) build -a -gcflags=-S ./runtime/kernel/... ./runtime/neuron ./runtime/ops ./runtime/exec ./runtime/train/grad ./runtime/train/kernel ./runtime/train/optim ./runtime/train/patches 2>&1 | grep -cE 'FN?M(ADD|SUB)S' || true); \
	test "$$n" = 0 || { echo "$$n fused float32 multiply-adds in the runtime on arm64"; exit 1; }

cross:
	for t in linux/arm64 windows/amd64 darwin/arm64; do \
	  CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -o /dev/null ./cmd/spikingir || exit 1; \
	  CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) vet ./runtime/kernel/... ./runtime/train/kernel || exit 1; done

# Generated code and goldens must come out as they are committed.
generate:
	sh onnxio/onnxpb/generate.sh

update:
	UPDATE=1 $(GO) test -short ./graph/... ./passes/... ./onnxio/text ./cmd/spikingir >/dev/null

# Fails when the checks above changed or left a file.
tree:
	@test -z "$$(git status --porcelain)" || { git status --short; git diff | head -50; echo 'the tree is not clean'; exit 1; }

# Measures the kernels; with PEERS=DIR, networks of DATA beside other runtimes
# (ONNX Runtime by node, its folder in NODE_PATH, and PyTorch), printed or written
# to OUT: make bench PEERS=DIR DATA=DIR OUT=docs/performance.md. That takes some
# minutes, hardly more than LIMIT; each row is told as it is known.
bench: build lab
ifeq ($(PEERS),)
	$(BIN) bench
else
	$(LAB) bench --peers "$(PEERS)" --data "$(DATA)" --threads $(THREADS) --runs 3 --limit $(LIMIT) -o "$(OUT)"
endif

# Trains and exports the fixtures again; installs PyTorch from Debian if needed.
fixtures:
	fixtures/gen/gen.sh

fuzz:
	for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

# Measures the recipes on real networks: make results DATA=DIR
results: lab
	$(LAB) results --data "$(DATA)" -o docs/results.md

clean:
	rm -rf bin demo
