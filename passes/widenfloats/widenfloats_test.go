package widenfloats_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/widenfloats"
)

func TestWidenFloats(t *testing.T) { passtest.Run(t, widenfloats.Pass) }
