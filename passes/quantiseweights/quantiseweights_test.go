package quantiseweights_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/quantiseweights"
)

func TestQuantiseWeights(t *testing.T) { passtest.Run(t, quantiseweights.Pass) }
