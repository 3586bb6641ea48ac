package recogniserelu_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/recogniserelu"
)

func TestRecogniseRelu(t *testing.T) { passtest.Run(t, recogniserelu.Pass) }
