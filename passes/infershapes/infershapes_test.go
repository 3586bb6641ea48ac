package infershapes_test

import (
	"testing"

	"spikingir/passes/infershapes"
	"spikingir/passes/passtest"
)

func TestInferShapes(t *testing.T) { passtest.Run(t, infershapes.Pass) }
