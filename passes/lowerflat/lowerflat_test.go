package lowerflat_test

import (
	"testing"

	"spikingir/passes/lowerflat"
	"spikingir/passes/passtest"
)

func TestLowerFlat(t *testing.T) { passtest.Run(t, lowerflat.Pass) }
