package splitregions_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/splitregions"
)

func TestSplitRegions(t *testing.T) { passtest.Run(t, splitregions.Pass) }
