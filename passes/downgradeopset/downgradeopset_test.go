package downgradeopset_test

import (
	"testing"

	"spikingir/passes/downgradeopset"
	"spikingir/passes/passtest"
)

func TestDowngradeOpset(t *testing.T) { passtest.Run(t, downgradeopset.Pass) }
