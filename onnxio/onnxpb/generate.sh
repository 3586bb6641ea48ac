#!/bin/sh
# Regenerates onnx-ml.pb.go from onnx-ml.proto. Needs protoc, which it installs
# by apt when missing; protoc-gen-go comes from the module version in go.mod.
set -eu
cd "$(dirname "$0")"

if ! command -v protoc >/dev/null 2>&1; then
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends protobuf-compiler
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
go build -o "$tmp/protoc-gen-go" google.golang.org/protobuf/cmd/protoc-gen-go

# The path given to protoc is the file's name in the registry of descriptors.
mkdir -p "$tmp/src/spikingir"
cp onnx-ml.proto "$tmp/src/spikingir/onnx-ml.proto"
protoc --plugin="$tmp/protoc-gen-go" -I "$tmp/src" --go_out="$tmp" \
	--go_opt=module=spikingir spikingir/onnx-ml.proto
cp "$tmp/onnxio/onnxpb/onnx-ml.pb.go" onnx-ml.pb.go
