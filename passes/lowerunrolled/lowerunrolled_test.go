package lowerunrolled_test

import (
	"testing"

	"spikingir/passes/lowerunrolled"
	"spikingir/passes/passtest"
)

func TestLowerUnrolled(t *testing.T) { passtest.Run(t, lowerunrolled.Pass) }
