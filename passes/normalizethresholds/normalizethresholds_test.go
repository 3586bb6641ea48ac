package normalizethresholds_test

import (
	"testing"

	"spikingir/passes/normalizethresholds"
	"spikingir/passes/passtest"
)

func TestNormalizeThresholds(t *testing.T) { passtest.Run(t, normalizethresholds.Pass) }
