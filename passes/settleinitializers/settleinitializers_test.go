package settleinitializers_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/settleinitializers"
)

func TestSettleInitializers(t *testing.T) { passtest.Run(t, settleinitializers.Pass) }
