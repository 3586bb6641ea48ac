// Command spikingir turns image-restoration CNNs in ONNX into spiking neural
// networks in ONNX, runs them and measures them. See the project's README.
package main

import (
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
