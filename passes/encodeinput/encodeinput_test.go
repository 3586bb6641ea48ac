package encodeinput_test

import (
	"testing"

	"spikingir/passes/encodeinput"
	"spikingir/passes/passtest"
)

func TestEncodeInput(t *testing.T) { passtest.Run(t, encodeinput.Pass) }
