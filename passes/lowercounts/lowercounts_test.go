package lowercounts_test

import (
	"testing"

	"spikingir/passes/lowercounts"
	"spikingir/passes/passtest"
)

func TestLowerCounts(t *testing.T) { passtest.Run(t, lowercounts.Pass) }
