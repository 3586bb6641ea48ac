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
	os.Exit(together(os.Args[1:]))
}
