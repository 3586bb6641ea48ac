package snapweights_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/snapweights"
)

func TestSnapWeights(t *testing.T) { passtest.Run(t, snapweights.Pass) }
