package maxpooltoaveragepool_test

import (
	"testing"

	"spikingir/passes/maxpooltoaveragepool"
	"spikingir/passes/passtest"
)

func TestMaxPoolToAveragePool(t *testing.T) { passtest.Run(t, maxpooltoaveragepool.Pass) }
