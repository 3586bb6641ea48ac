// Command spikingir turns image-restoration CNNs in ONNX into spiking neural
// networks in ONNX, runs them and measures them. See the project's README.
package main

import (
	"os"
	"time"

	"spikingir/cmd/internal/cli"
)

func main() {
	cli.NoticeAfter = 5 * time.Second
	os.Exit(cli.Guard("spikingir", os.Stderr, func() int { return run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr) }))
}
