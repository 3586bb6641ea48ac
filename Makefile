# Tools that the checks run, pinned.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
ONNXRUNTIME := 1.30.0
GO          ?= go
FUZZTIME    ?= 30s
MUTATIONS   ?= 5000
DATA        ?= $(SPIKINGIR_DATA)
PEERS       ?=
OUT         ?=
THREADS     ?= 2
LIMIT       ?= 8m
# The interpreter of Debian's packages, where it has what tests ask of it.
PYTHON      ?= $(shell /usr/bin/python3 -c 'import onnx' 2>/dev/null && echo /usr/bin/python3)
BIN         := bin/spikingir
LAB         := bin/spikingir-lab

.PHONY: build lab demo man test check bench fixtures fuzz cross results tables update generate format race purego fused conformance interop clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/spikingir

# What measures the project itself.
lab:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(LAB) ./cmd/spikingir-lab

# The program over MPI (docs/cluster.md), which needs cgo: make build-mpi MPICC=mpicc.mpich for another MPI than the
# default. Where there is none, and Debian's packages can be installed, it gets Open MPI.
MPICC ?= mpicc
.PHONY: build-mpi test-mpi bench-mpi
build-mpi:
	command -v $(MPICC) >/dev/null || apt-get install -y --no-install-recommends gcc openmpi-bin libopenmpi-dev
	CC=$(MPICC) CGO_ENABLED=1 $(GO) build -trimpath -tags mpi -o $(BIN)-mpi ./cmd/spikingir

# Compares 1, 2 and 4 processes, of the MPIs that are installed.
test-mpi:
	GO=$(GO) .ci/mpi

# Trains DnCNN of DATA in one process of two threads and in two of one, in turns.
bench-mpi: build-mpi
	.ci/bench-mpi "$(BIN)-mpi" "$(DATA)"

# Converts the embedded networks, runs and measures them; leaves demo/.
demo: build
	$(BIN) demo -o demo

# A manual page of each command, the same bytes each time.
man: build
	rm -rf build/man
	$(BIN) man build/man

# A slow machine takes more than go test's ten minutes for one package.
test:
	$(GO) test -timeout 40m ./...

# What CI runs after the tests.
check: format vet race purego fused cross generate goldens tree

.PHONY: vet tree
format:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt on these'; exit 1; }

vet:
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# Packages that start goroutines or are called by several: passes and what reads and writes files do neither, and convert one
# network after the other. Left out are tests of which each step is one that others make, many times over, and scripts of the
# program that start nothing which other scripts and the tests of packages do not.
# Every program that the detector watches sleeps for a second at its end, unless told not to.
RACED    := . ./cmd/spikingir ./cmd/internal/... ./internal/... ./onnxio ./graph/op ./runtime/...
UNRACED  := ^(TestArchitectures|TestExact|TestExactTuned|TestConvWidths|TestConvExtremes|TestConvUnderCollector|TestNIR|TestNIRRandom|TestNIRReader|TestMutations|TestSameBytesOfForms|TestCustomPass|TestWeb|TestLibraryPage)$$|^TestScripts$$/^(bench|check|exact|export|graded|lower|opset|passes|ports|recipes|twophase)$$
race:
	GORACE=atexit_sleep_ms=0 $(GO) test -timeout 40m -race -short -skip '$(UNRACED)' $(RACED)

# The kernels that the tag leaves assembly out of, what calls them, and the whole program on them: its scripts convert, run and
# fine-tune, and expect what they expect on assembly. All else is the same code with and without the tag. Both lines run one
# test after the other, so they run beside each other.
PURE := $$(grep -rl --include=*.go '^//go:build.*purego' runtime | xargs -n1 dirname | sort -u | sed 's|^|./|')
PURE_SCRIPTS := ^TestScripts$$/^(convert|exact|export|finetune|full|graded|run|verify)$$
purego:
	$(GO) test -tags purego -short $(PURE) ./runtime/exec ./runtime/train & kernels=$$!; \
	$(GO) test -tags purego -short -run '$(PURE_SCRIPTS)' ./cmd/spikingir; scripts=$$?; \
	wait $$kernels && exit $$scripts

# No fused float32 multiply-add may slip into code whose bits are promised. (The
# float64 ones of the emulated FMA take an exact product: fused or not, same bits.) A listing that is not there at all is
# no proof; go build repeats that of a package which it has built before.
fused:
	@CGO_ENABLED=0 GOARCH=arm64 $(GO) build -gcflags=-S ./runtime/kernel/... ./runtime/neuron ./runtime/ops ./runtime/exec ./runtime/train/grad ./runtime/train/kernel ./runtime/train/optim ./runtime/train/patches 2>&1 | \
	awk '/FN?M(ADD|SUB)S/ { fused++ } /FMULS/ { single++ } END { \
	  if (fused || !single) { print fused+0 " fused and " single+0 " single float32 multiplications in the runtime on arm64, want none fused and some single"; exit 1 } }'

# Of the third system only the packages that have files of their own for systems: all else is what the first two compile.
cross:
	for t in linux/arm64 windows/amd64; do \
	  CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -ldflags='-s -w' -o /dev/null ./cmd/spikingir || exit 1; \
	  CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) vet ./runtime/kernel/... ./runtime/train/kernel || exit 1; done
	export CGO_ENABLED=0 GOOS=darwin GOARCH=arm64; $(GO) build $$($(GO) list -f '{{if .IgnoredGoFiles}}{{.ImportPath}}{{end}}' ./...)

# Generated code and goldens must come out as they are committed.
generate:
	sh onnxio/onnxpb/generate.sh

# Of packages with other tests beside goldens, those of the goldens. `make test` compares the scripts of the program too, and
# writing them anew takes as long again: `make update` does.
.PHONY: goldens
goldens:
	UPDATE=1 $(GO) test -short ./graph/... $$($(GO) list ./passes/... | grep -v -e /recipes$$ -e /standard$$) \
	  ./onnxio/text ./onnxio/nir ./cmd/internal/gate ./fixtures/conformance >/dev/null

update: goldens
	UPDATE=1 $(GO) test -short -run '^TestScripts$$' ./cmd/spikingir >/dev/null

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

# ONNX's own node tests, generated by Debian's onnx (python3-onnx) into a folder that git ignores; writes
# docs/conformance.md.
conformance:
	/usr/bin/python3 fixtures/gen/conformance.py build/conformance
	SPIKINGIR_CONFORMANCE="$(CURDIR)/build/conformance" UPDATE=1 $(GO) test -count 1 -run '^TestConformance$$' .

.PHONY: onnxruntime
onnxruntime:
	test -d build/interop/node_modules/onnxruntime-web || npm install --ignore-scripts --no-audit --no-fund --prefix build/interop \
	  onnxruntime-node@$(ONNXRUNTIME) onnxruntime-web@$(ONNXRUNTIME)

# Random networks, the spiking ones that they are converted to and the conformance kit, in ONNX Runtime, as machine code
# and as WebAssembly, which npm installs into a folder that git ignores; what it makes of our files, read back; files of all
# forms before the checker of Debian's onnx (python3-onnx) and in its OpenCV (python3-opencv), a page of examples/web and one of report, where
# those and Chromium are installed; files of plain forms in onnx-gomlx, which is a module of Go.
interop: onnxruntime
	SPIKINGIR_ONNXRUNTIME="$(CURDIR)/build/interop/node_modules" SPIKINGIR_PYTHON="$(PYTHON)" $(GO) test -count 1 -run '^(TestRandomNetworks|TestONNXRuntime|TestONNXChecker|TestExact|TestExactReal|TestExactTuned|TestAgreement|TestTargetOpset|TestKit|TestVerifyONNXRuntime|TestVerifyONNXRuntimeFeeds|TestRaiseRewritten|TestReportPage)$$' . ./cmd/spikingir ./cmd/spikingir-lab ./fixtures/conformance
	cd examples/web && SPIKINGIR_ONNXRUNTIME="$(CURDIR)/build/interop/node_modules" $(GO) test -count 1 .
	cd examples/gomlx && $(GO) vet . && $(GO) test -count 1 .

# Searches with every fuzz target for FUZZTIME, and changes bytes of each fixture MUTATIONS times.
fuzz:
	SPIKINGIR_MUTATIONS=$(MUTATIONS) $(GO) test -count 1 -timeout 60m -run '^TestMutations$$' ./cmd/spikingir
	for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

# Measures the recipes on real networks: make results DATA=DIR
results: lab
	$(LAB) results --data "$(DATA)" -o docs/results.md

# Measures the paper's tables on real networks; trained ones come from a folder: make tables DATA=DIR TUNED=DIR OUT=FILE
tables: lab
	$(LAB) tables --data "$(DATA)" --tuned "$(TUNED)" -o "$(OUT)"

clean:
	rm -rf bin demo build
