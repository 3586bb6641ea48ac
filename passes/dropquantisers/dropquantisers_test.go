package dropquantisers_test

import (
	"testing"

	"spikingir/passes/dropquantisers"
	"spikingir/passes/passtest"
)

func TestDropQuantisers(t *testing.T) { passtest.Run(t, dropquantisers.Pass) }
